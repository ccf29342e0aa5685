/** The channels of a guild, or the private channels, and the user. */

import {t} from "../lang/translate.js";
import {logOut} from "../net/session.js";
import {nameOf} from "../state/select.js";
import {Avatar} from "./avatar.js";
import {GuildChannels} from "./guild_channels.js";
import {html} from "./html.js";
import {IconButton} from "./icons.js";
import {PrivateChannels} from "./private_channels.js";
import {go, route} from "./route.js";
import {useSelect} from "./use.js";

export function Sidebar() {
  const here = route.value;
  return html`<div class="sidebar">
    ${here.view === "guild"
      ? html`<${GuildChannels} key=${here.guild} id=${here.guild} />`
      : html`<${PrivateChannels} />`}
    <${Self} />
  </div>`;
}

function Self() {
  const me = useSelect((state) => state.me);
  const name = useSelect((state) => state.me && nameOf(state, state.me));
  if (me === null) return null;
  return html`<footer class="self">
    <${Avatar} user=${me} status="online" />
    <span class="name">${name}<small>${me.username}</small></span>
    <${IconButton}
      icon="settings"
      label=${t("settings")}
      onClick=${() => go("/app/settings")}
    />
    <${IconButton} icon="leave" label=${t("log-out")} onClick=${() => logOut().catch(() => {})} />
  </footer>`;
}

/** What covers the page when it is open: the settings of a guild or of a channel; popovers; forms of applications. */

import {useEffect} from "../vendor/hooks.js";
import {signal} from "../vendor/signals.js";
import {t} from "../lang/translate.js";
import {Boundary} from "./boundary.js";
import {useModal} from "./dialog.js";
import {html} from "./html.js";
import {IconButton} from "./icons.js";
import {lazy} from "./lazy.js";
import {modals} from "./messages/ui.js";
import {OpenedPopover} from "./popover.js";
import {useSelect} from "./use.js";

const GuildSettings = lazy(() => import("./guild_settings/guild_settings.js"), "GuildSettings");
const Modals = lazy(() => import("./messages/modal.js"), "Modals");
const ChannelSettings = lazy(() => import("./guild_settings/channel_settings.js"), "ChannelSettings");

/** @type {import("../vendor/signals.js").Signal<{guild: string, channel?: string, section?: string} | null>} */
const opened = signal(null);

/** @param {string} guild @param {string} [section] */
export function openGuildSettings(guild, section) {
  opened.value = {guild, section};
}

/** @param {string} guild @param {string} channel @param {string} [section] */
export function openChannelSettings(guild, channel, section) {
  opened.value = {guild, channel, section};
}

export function closeSettings() {
  opened.value = null;
}

export function Overlays() {
  const settings = opened.value;
  return html`<${OpenedPopover} />
    ${modals.value.length > 0 && html`<${Modals} />`}
    ${settings && html`<${Settings} key=${settings.channel ?? settings.guild} ...${settings} />`}`;
}

/** @param {{guild: string, channel?: string, section?: string}} properties */
function Settings({guild, channel, section}) {
  const name = useSelect((state) =>
    channel === undefined
      ? state.guilds[guild]?.name
      : state.guilds[guild]?.channels[channel]?.name,
  );
  const isGone = name === undefined;
  const {close, attributes} = useModal(closeSettings);
  useEffect(() => {
    if (isGone) closeSettings(); // deleted, or the user may not see it any more
  }, [isGone]);
  const title = t(channel === undefined ? "guild-settings-of" : "channel-settings-of", {name: name ?? ""});
  return html`<dialog class="settings-page" aria-label=${title} ...${attributes}>
    <header>
      <h1>${title}</h1>
      <${IconButton} icon="close" label=${t("close")} onClick=${close} />
    </header>
    <${Boundary}>
      ${isGone
        ? null
        : channel === undefined
          ? html`<${GuildSettings} id=${guild} section=${section} />`
          : html`<${ChannelSettings} guild=${guild} id=${channel} section=${section} />`}
    <//>
  </dialog>`;
}

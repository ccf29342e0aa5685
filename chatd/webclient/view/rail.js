/** The guilds of the user, at the left. */

import {t} from "../lang/translate.js";
import {isMuted, unread} from "../state/select.js";
import {GuildIcon} from "./avatar.js";
import {openDialog} from "./dialog.js";
import {html} from "./html.js";
import {Icon} from "./icons.js";
import {lazy} from "./lazy.js";
import {follow, pathOf, route} from "./route.js";
import {useSelect} from "./use.js";

const NewGuild = lazy(() => import("./new_guild.js"), "NewGuild");

export const openNewGuild = () => openDialog(t("new-guild"), html`<${NewGuild} />`);

export function Rail() {
  const guilds = useSelect((state) => state.guilds);
  const here = route.value;
  return html`<nav class="rail" aria-label=${t("guilds")}>
    <${Entry} path=${pathOf(null)} name=${t("home")} isHere=${here.view === "private"} channels=${null}>
      <${Icon} name="mail" />
    <//>
    ${Object.values(guilds).map(
      (guild) => html`<${Entry}
        key=${guild.id}
        path=${pathOf(guild.id)}
        name=${guild.name}
        isHere=${here.view === "guild" && here.guild === guild.id}
        channels=${guild.channels}
        guild=${guild.id}
      >
        <${GuildIcon} guild=${guild} />
      <//>`,
    )}
    <button type="button" class="entry" aria-label=${t("new-guild")} title=${t("new-guild")} onClick=${openNewGuild}>
      <${Icon} name="file" />
    </button>
  </nav>`;
}

/**
 * @param {{path: string, name: string, isHere: boolean, channels: Record<string, any> | null,
 *   guild?: string, children?: any}} properties `channels` is null for private channels.
 */
function Entry({path, name, isHere, channels, guild = "@me", children}) {
  const marks = useSelect((state) => {
    let isUnread = false;
    let mentions = 0;
    const isQuiet = isMuted(state, guild);
    for (const id of Object.keys(channels ?? state.privates)) {
      const each = unread(state, id);
      isUnread ||= each.isUnread && !isQuiet && !isMuted(state, guild, id);
      mentions += each.mentions;
    }
    return `${isUnread ? 1 : 0}/${mentions}`; // equal texts, so that nothing is rendered in vain
  });
  const [isUnread, mentions] = marks.split("/").map(Number);
  const label = mentions ? t("mentioned", {name, count: mentions}) : isUnread ? t("unread", {name}) : name;
  return html`<a
    class="entry"
    href=${path}
    onClick=${follow}
    aria-current=${isHere ? "page" : undefined}
    aria-label=${label}
    title=${name}
    data-unread=${Boolean(isUnread)}
  >
    ${children}${mentions > 0 && html`<span class="badge" aria-hidden="true">${mentions}</span>`}
  </a>`;
}

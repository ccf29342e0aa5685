/** The title of a channel, and what can be opened beside its messages. */

import {t} from "../../lang/translate.js";
import {openDialog} from "../dialog.js";
import {html} from "../html.js";
import {Icon, IconButton} from "../icons.js";
import {lazy} from "../lazy.js";
import {follow, pathOf} from "../route.js";
import {inline} from "./markdown_inline.js";
import {panel} from "./ui.js";

const JumpToDate = lazy(() => import("./jump_to_date.js"), "JumpToDate");

/**
 * @param {{id: string, name: string, topic?: string | null, guild?: string, hasMembers: boolean,
 *   onMembers: () => void}} properties
 */
export function ChannelHeader({id, name, topic, guild, hasMembers, onMembers}) {
  const toggle = (/** @type {"search" | "pins"} */ kind) => () => {
    panel.value = panel.value === kind ? null : kind;
  };
  return html`<header>
    <a
      class="icon back"
      href=${pathOf(guild ?? null)}
      aria-label=${t("back-to-channels")}
      title=${t("back-to-channels")}
      onClick=${follow}
      ><${Icon} name="back"
    /></a>
    <h1>${name}</h1>
    ${topic && html`<p class="topic" title=${topic}>${inline(topic, guild)}</p>`}
    <div class="header-tools" role="group" aria-label=${name}>
      <${IconButton}
        icon="calendar"
        label=${t("jump-to-date")}
        onClick=${() => openDialog(t("jump-to-date"), html`<${JumpToDate} id=${id} guild=${guild} />`)}
      />
      <${IconButton} icon="pin" label=${t("pins")} isExpanded=${panel.value === "pins"} onClick=${toggle("pins")} />
      <${IconButton} icon="search" label=${t("search")} isExpanded=${panel.value === "search"} onClick=${toggle("search")} />
      ${guild &&
      html`<${IconButton}
        icon="members"
        label=${t("members")}
        isExpanded=${hasMembers && panel.value === null}
        onClick=${onMembers}
      />`}
    </div>
  </header>`;
}

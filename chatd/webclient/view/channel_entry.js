/** A channel in the sidebar: its name, its marks, and its menu. */

import {t} from "../lang/translate.js";
import {isMuted, unread} from "../state/select.js";
import {html} from "./html.js";
import {Icon} from "./icons.js";
import {MenuButton, openMenu} from "./menu.js";
import {follow} from "./route.js";
import {useSelect} from "./use.js";

/**
 * @param {{path: string, id: string, name: string, guild: string, isHere: boolean,
 *   items: () => import("./menu.js").Items, isLocked?: boolean, children?: any,
 *   onKeyDown?: (event: KeyboardEvent) => void}} properties
 */
export function ChannelEntry({path, id, name, guild, isHere, items, isLocked, children, onKeyDown}) {
  const marks = useSelect((state) => {
    const {isUnread, mentions} = unread(state, id);
    const muted = isMuted(state, guild, id);
    return `${isUnread && !muted ? 1 : 0}/${mentions}/${muted ? 1 : 0}`;
  });
  const [isUnread, mentions, muted] = marks.split("/").map(Number);
  const label = [
    mentions ? t("mentioned", {name, count: mentions}) : isUnread ? t("unread", {name}) : name,
    isLocked && t("private-channel"),
    muted ? t("muted") : "",
  ];
  const menu = t("menu-of", {name});
  return html`<div
    class="row"
    onContextMenu=${(/** @type {Event} */ event) => openMenu(event, menu, items())}
  >
    <a
      class="channel"
      href=${path}
      onClick=${follow}
      onKeyDown=${onKeyDown}
      draggable=${false}
      data-channel=${id}
      aria-current=${isHere ? "page" : undefined}
      aria-label=${label.filter(Boolean).join(", ")}
      title=${name}
      data-unread=${Boolean(isUnread)}
      data-muted=${Boolean(muted)}
    >
      ${children}<span class="name">${name}</span>
      ${isLocked && html`<span class="mark" title=${t("private-channel")}><${Icon} name="lock" /></span>`}
      ${muted > 0 && html`<span class="mark" title=${t("muted")}><${Icon} name="muted" /></span>`}
      ${mentions > 0 && html`<span class="badge" aria-hidden="true">${mentions}</span>`}
    </a>
    <${MenuButton} label=${menu} items=${items} />
  </div>`;
}

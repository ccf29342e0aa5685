/**
 * The members of a guild, grouped as the server groups them. Only the part that is in view is asked
 * for and rendered: a guild may have 100,000 members.
 */

import {useEffect, useRef, useState} from "../vendor/hooks.js";
import {t} from "../lang/translate.js";
import {connection, watchMembers} from "../net/session.js";
import {nameOf} from "../state/select.js";
import {Avatar} from "./avatar.js";
import {openCard} from "./card.js";
import {html} from "./html.js";
import {useSelect} from "./use.js";

/** The server serves the list in parts of this many items. */
const CHUNK = 100;
/** The height of an item, in pixels, as the style sheet has it. */
const ITEM_PX = 44;
/** Items rendered before and after those in view. */
const AROUND = 5;

/** @param {{guild: string, channel: string, onClose: () => void}} properties */
export function MemberList({guild, channel, onClose}) {
  const list = useSelect((state) => state.lists[guild]);
  const roles = useSelect((state) => state.guilds[guild]?.roles ?? {});
  const view = useRef(/** @type {any} */ (null));
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(800);
  const [active, setActive] = useState(-1);
  const first = Math.max(0, Math.floor(top / ITEM_PX) - AROUND);
  const last = Math.ceil((top + height) / ITEM_PX) + AROUND;
  const [chunk, lastChunk] = [Math.floor(first / CHUNK), Math.floor(last / CHUNK)];
  const status = connection.value.status;

  useEffect(() => {
    const watcher = new ResizeObserver(() => setHeight(view.current.clientHeight));
    watcher.observe(view.current);
    return () => watcher.disconnect();
  }, []);
  useEffect(() => {
    if (status !== "live") return;
    const wanted = [...new Set([0, chunk, lastChunk])];
    watchMembers(guild, channel, wanted.map((each) => [each * CHUNK, each * CHUNK + CHUNK - 1]));
  }, [guild, channel, chunk, lastChunk, status]);

  useEffect(() => closeWhenCovering(onClose), [onClose]);

  const items = list?.items ?? [];
  const groups = new Map((list?.groups ?? []).map((each) => [each.id, each.count]));
  const size = [...groups.values()].reduce((sum, count) => sum + count + 1, 0);
  /** @type {[number, any][]} */
  const shown = [];
  for (let at = first; at <= Math.min(last, size - 1); at++) shown.push([at, items[at]]);
  const members = shown.filter(([, item]) => item?.member).map(([at]) => at);
  const reachable = members.includes(active) ? active : members[0];
  const onKeyDown = (/** @type {any} */ event) => {
    const by = {ArrowDown: 1, ArrowUp: -1}[/** @type {string} */ (event.key)];
    const next = by && members[members.indexOf(reachable) + by];
    if (next === undefined) return;
    event.preventDefault();
    view.current.querySelector(`[data-at="${next}"]`)?.focus();
  };
  const groupName = (/** @type {string} */ id) =>
    id === "online" || id === "offline" ? t(id) : (roles[id]?.name ?? id);
  return html`<aside class="members" aria-label=${t("members")}>
    <div class="scroll" ref=${view} onScroll=${(/** @type {any} */ event) => setTop(event.target.scrollTop)}>
      ${list === undefined && html`<p class="muted" role="status">${t("loading")}</p>`}
      <ul style=${{height: `${size * ITEM_PX}px`}} onKeyDown=${onKeyDown}>
        ${shown.map(
          ([at, item]) => html`<li
            key=${item?.member?.user.id ?? item?.group?.id ?? at}
            style=${{top: `${at * ITEM_PX}px`}}
            aria-setsize=${size}
            aria-posinset=${at + 1}
          >
            ${item?.group &&
            html`<h2><span class="name">${groupName(item.group.id)}</span> — ${groups.get(item.group.id)}</h2>`}
            ${item?.member &&
            html`<${Member}
              guild=${guild}
              member=${item.member}
              at=${at}
              isReachable=${at === reachable}
              onFocus=${() => setActive(at)}
            />`}
            ${item === undefined && html`<span class="placeholder" aria-hidden="true"></span>`}
          </li>`,
        )}
      </ul>
    </div>
  </aside>`;
}

/**
 * Where the list covers the messages, close it with Escape, or when the user goes on with them.
 * Returns a function that stops that.
 * @param {() => void} onClose
 */
function closeWhenCovering(onClose) {
  const isCovering = () => matchMedia("(width < 48rem)").matches;
  const onPress = (/** @type {Event} */ event) => {
    const target = /** @type {Element} */ (event.target);
    // The button that opens the list is in the header, and closes it by itself.
    if (isCovering() && target.closest("#main") && !target.closest("header")) onClose();
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape" && !event.defaultPrevented && isCovering()) onClose();
  };
  document.addEventListener("pointerdown", onPress);
  document.addEventListener("focusin", onPress);
  document.addEventListener("keydown", onKeyDown);
  return () => {
    document.removeEventListener("pointerdown", onPress);
    document.removeEventListener("focusin", onPress);
    document.removeEventListener("keydown", onKeyDown);
  };
}

/** @param {{guild: string, member: any, at: number, isReachable: boolean, onFocus: () => void}} properties */
function Member({guild, member, at, isReachable, onFocus}) {
  const status = useSelect(
    (state) => state.presences[member.user.id] ?? member.presence?.status ?? "offline",
  );
  const name = useSelect((state) => member.nick || nameOf(state, member.user, guild));
  const isOwner = useSelect((state) => state.guilds[guild]?.owner_id === member.user.id);
  const open = (/** @type {Event} */ event) => openCard(event, guild, member.user);
  return html`<button
    type="button"
    class="member"
    aria-haspopup="dialog"
    data-at=${at}
    data-offline=${status === "offline"}
    tabindex=${isReachable ? 0 : -1}
    onFocus=${onFocus}
    onClick=${open}
    onContextMenu=${open}
  >
    <${Avatar} user=${member.user} status=${status} /><span class="name">${name}</span>
    ${member.user.bot && html`<small class="tag">${t("bot")}</small>`}
    ${isOwner && html`<small class="tag">${t("owner")}</small>`}
  </button>`;
}

/**
 * The messages of a channel. Earlier ones are loaded when the user scrolls towards them; what is far
 * from the view is dropped from the state. The message at the edge of the view stays where it is.
 */

import {useEffect, useLayoutEffect, useRef, useState} from "../vendor/hooks.js";
import {t} from "../lang/translate.js";
import {acknowledge, loadPage, loadPresent} from "../net/session.js";
import {channelOf} from "../state/select.js";
import {compareIds, NO_TIMELINE} from "../state/shape.js";
import {state} from "../state/store.js";
import {reason} from "./errors.js";
import {html} from "./html.js";
import {Message, isWritten} from "./message.js";
import {PendingMessage} from "./pending_message.js";
import {useSelect} from "./use.js";

/** Load more when the view is this near to the end of what is there, in pixels. */
const NEAR_PX = 800;
/** The view follows new messages while it is this near to the newest one, in pixels. */
const BOTTOM_PX = 60;
/** Messages of one author within this time are shown as one group, in milliseconds. */
const GROUP_MS = 7 * 60_000;

/** @param {{id: string, name: string, onReply: (message: any) => void}} properties */
export function Timeline({id, name, onReply}) {
  const timeline = useSelect((whole) => whole.timelines[id] ?? NO_TIMELINE);
  const [error, setError] = useState("");
  const [firstUnread] = useState(() => state.peek().reads[id]?.read ?? null);
  const view = useRef(/** @type {any} */ (null));
  const isAtBottom = useRef(true);
  const anchor = useRef(/** @type {{id: string, top: number} | null} */ (null));

  const load = (/** @type {any} */ where) => {
    if (channelOf(state.peek(), id) === undefined) return; // it has just been taken away
    loadPage(id, where).then(
      () => setError(""),
      (failure) => setError(reason(failure)),
    );
  };
  const isEmpty = timeline.messages.length === 0 && !timeline.atEnd;
  useEffect(() => {
    if (isEmpty) load({});
  }, [id, isEmpty]);

  useLayoutEffect(() => {
    const element = view.current;
    if (isAtBottom.current && timeline.atEnd) {
      element.scrollTop = element.scrollHeight;
    } else if (anchor.current !== null) {
      const kept = element.querySelector(`[data-id="${anchor.current.id}"]`);
      if (kept) element.scrollTop += kept.getBoundingClientRect().top - anchor.current.top;
    }
    remember();
  }, [timeline]);

  useEffect(() => {
    const read = () => {
      if (isAtBottom.current && timeline.atEnd && !document.hidden) acknowledge(id);
    };
    read();
    document.addEventListener("visibilitychange", read);
    return () => document.removeEventListener("visibilitychange", read);
  }, [id, timeline]);

  // Pictures and long texts change their height after they are shown.
  useEffect(() => {
    const element = view.current;
    const observer = new ResizeObserver(() => {
      if (isAtBottom.current) element.scrollTop = element.scrollHeight;
    });
    observer.observe(element.firstElementChild);
    return () => observer.disconnect();
  }, []);

  function remember() {
    const element = view.current;
    const top = element.getBoundingClientRect().top;
    for (const each of element.querySelectorAll("[data-id]")) {
      const place = each.getBoundingClientRect();
      if (place.bottom > top) {
        anchor.current = {id: each.dataset.id, top: place.top};
        return;
      }
    }
    anchor.current = null;
  }

  function onScroll() {
    const element = view.current;
    const below = element.scrollHeight - element.scrollTop - element.clientHeight;
    isAtBottom.current = below < BOTTOM_PX;
    remember();
    const {messages, atStart, atEnd} = timeline;
    if (messages.length === 0) return;
    if (element.scrollTop < NEAR_PX && !atStart) load({before: messages[0].id});
    if (below < NEAR_PX && !atEnd) load({after: messages[messages.length - 1].id});
    if (isAtBottom.current && atEnd) acknowledge(id);
  }

  const jump = () => {
    isAtBottom.current = true;
    if (!timeline.atEnd) loadPresent(id).catch((failure) => setError(reason(failure)));
    else view.current.scrollTop = view.current.scrollHeight;
  };

  const {messages, pending, atStart, atEnd} = timeline;
  return html`<div class="timeline" ref=${view} onScroll=${onScroll} tabindex="0" aria-label=${t("messages")}>
    <ol role="log" aria-live="polite" aria-relevant="additions">
      ${atStart && html`<li class="beginning">${t("beginning", {name})}</li>`}
      ${atStart && messages.length + pending.length === 0 && html`<li class="empty">${t("no-messages")}</li>`}
      ${!atStart && html`<li class="muted">${error ? t("load-failed") : t("loading")}</li>`}
      ${messages.map((message, at) => entry(message, messages[at - 1], firstUnread, onReply))}
      ${atEnd &&
      pending.map(
        (each) => html`<${PendingMessage} key=${each.nonce} channel=${id} pending=${each} />`,
      )}
    </ol>
    ${error &&
    html`<p class="error" role="alert">
      ${error} <button type="button" onClick=${() => load({})}>${t("retry")}</button>
    </p>`}
    ${!atEnd &&
    messages.length > 0 &&
    html`<button type="button" class="jump" onClick=${jump}>${t("jump-to-present")}</button>`}
  </div>`;
}

/** @param {any} message @param {any} previous @param {string | null} firstUnread @param {any} onReply */
function entry(message, previous, firstUnread, onReply) {
  const day = new Date(message.timestamp).toDateString();
  const isNewDay = previous === undefined || new Date(previous.timestamp).toDateString() !== day;
  const isFirstUnread =
    firstUnread !== null &&
    previous !== undefined &&
    compareIds(previous.id, firstUnread) <= 0 &&
    compareIds(message.id, firstUnread) > 0 &&
    message.author.id !== state.peek().me?.id;
  const isContinued =
    !isNewDay &&
    !isFirstUnread &&
    previous.author.id === message.author.id &&
    previous.author.username === message.author.username &&
    message.type === 0 &&
    isWritten(previous) &&
    Date.parse(message.timestamp) - Date.parse(previous.timestamp) < GROUP_MS;
  return [
    isNewDay && html`<li class="divider" key=${`day ${message.id}`}>${dayText(message.timestamp)}</li>`,
    isFirstUnread && html`<li class="divider new" key="new">${t("new-messages")}</li>`,
    html`<${Message} key=${message.id} message=${message} isContinued=${isContinued} onReply=${onReply} />`,
  ];
}

/** @param {string} timestamp */
const dayText = (timestamp) =>
  new Date(timestamp).toLocaleDateString(document.documentElement.lang, {dateStyle: "full"});

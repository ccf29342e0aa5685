/**
 * The messages of a channel. Earlier and later ones are loaded when the user scrolls towards them; what
 * is far from the view is dropped, so that a page with a million messages behind it stays small.
 */

import {useEffect, useLayoutEffect, useRef, useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {acknowledge, loadAround, loadPage, loadPresent, release} from "../../net/history.js";
import {dispatch, state} from "../../state/store.js";
import {channelOf} from "../../state/select.js";
import {compareIds, NO_TIMELINE} from "../../state/shape.js";
import {reason} from "../../net/reasons.js";
import {html} from "../html.js";
import {useSelect} from "../use.js";
import {entries} from "./entries.js";
import {useMessageKeys} from "./keys.js";
import {PendingMessage} from "./pending_message.js";
import {plain} from "./plain.js";
import {Scroll} from "./scroll.js";
import {announcement, isAttentive} from "./ui.js";
import {UnreadBar, useFirstUnread} from "./unread_bar.js";

/** Load more when the view is this near to the end of what is there, in pixels. */
const NEAR_PX = 800;

/**
 * @param {{id: string, name: string, guild?: string, target: {message: string | null},
 *   onPresent: () => void}} properties `target` is a new object for each jump.
 */
export function Timeline({id, name, guild, target, onPresent}) {
  const timeline = useSelect((whole) => whole.timelines[id] ?? NO_TIMELINE);
  const [error, setError] = useState("");
  const [isMissing, setMissing] = useState(false);
  const [firstUnread, setFirstUnread] = useFirstUnread(id);
  const view = useRef(/** @type {any} */ (null));
  const list = useRef(/** @type {any} */ (null));
  const scroll = useRef(/** @type {any} */ (null));
  const wanted = useRef(/** @type {{id: string, isExact: boolean} | null} */ (null));
  const failed = useRef(false);
  const {messages, pending, atStart, atEnd} = timeline;

  const run = (/** @type {() => Promise<void>} */ load) => {
    if (channelOf(state.peek(), id) === undefined) return; // it has just been taken away
    failed.current = false;
    load().then(
      () => setError(""),
      (failure) => {
        failed.current = true;
        setError(reason(failure));
      },
    );
  };
  /** Load what lacks near the view. */
  const fill = () => {
    const present = state.peek().timelines[id] ?? NO_TIMELINE;
    if (failed.current || wanted.current || present.messages.length === 0) return;
    const [first, last] = [present.messages[0].id, present.messages.at(-1)?.id];
    if (scroll.current.above < NEAR_PX && !present.atStart) run(() => loadPage(id, {before: first}));
    if (scroll.current.below < NEAR_PX && !present.atEnd) run(() => loadPage(id, {after: last}));
  };
  const retry = () => {
    const around = wanted.current;
    if (around !== null) run(() => loadAround(id, around.id));
    else if (messages.length === 0) run(() => loadPage(id));
    else {
      failed.current = false;
      fill();
    }
  };
  /** @param {string} message @param {boolean} isExact whether another message is not what is wanted */
  const jump = (message, isExact) => {
    setMissing(false);
    wanted.current = {id: message, isExact};
    const present = state.peek().timelines[id] ?? NO_TIMELINE;
    const [first, last] = [present.messages[0]?.id, present.messages.at(-1)?.id];
    const has = isExact
      ? present.messages.some((each) => each.id === message)
      : first !== undefined && last !== undefined && compareIds(first, message) <= 0 && compareIds(message, last) < 0;
    if (has) arrive();
    else run(() => loadAround(id, message));
  };
  /** Show the message that was wanted, now that its surroundings are there. */
  const arrive = () => {
    const {id: message, isExact} = /** @type {any} */ (wanted.current);
    wanted.current = null;
    const present = state.peek().timelines[id]?.messages ?? [];
    const shown = isExact
      ? present.find((each) => each.id === message)
      : (present.find((each) => compareIds(each.id, message) > 0) ?? present.at(-1));
    setMissing(isExact && shown === undefined);
    const near = shown ?? present.find((each) => compareIds(each.id, message) > 0) ?? present.at(-1);
    const entry = near && scroll.current.entry(near.id);
    if (!entry) return;
    for (const each of view.current.querySelectorAll("[data-highlighted]")) delete each.dataset.highlighted;
    if (shown) entry.dataset.highlighted = "";
    entry.focus({preventScroll: true});
    scroll.current.toMiddle(entry);
  };
  const toPresent = () => {
    wanted.current = null;
    onPresent();
    scroll.current.isAtBottom = true;
    if (!(state.peek().timelines[id]?.atEnd ?? false)) run(() => loadPresent(id));
    else scroll.current.toBottom();
  };

  useLayoutEffect(() => {
    scroll.current = new Scroll(view.current);
    return () => {
      release(id);
      dispatch({type: "timeline left", data: {channel: id}});
    };
  }, [id]);
  useEffect(() => {
    if (target.message !== null) jump(target.message, true);
  }, [id, target]);
  const isEmpty = messages.length === 0 && !atEnd;
  useEffect(() => {
    if (isEmpty && wanted.current === null) run(() => loadPage(id));
  }, [id, isEmpty]);

  useLayoutEffect(() => {
    if (wanted.current !== null && messages.length > 0) arrive();
    else if (scroll.current.isAtBottom && atEnd) scroll.current.toBottom();
    else scroll.current.restore();
    scroll.current.remember();
    fill();
  }, [timeline]);
  useEffect(() => {
    // What the user writes is at the end.
    if (pending.length > 0) toPresent();
  }, [pending.length]);
  useAnnouncements(id, timeline);

  const read = () => {
    const present = state.peek().timelines[id];
    if (scroll.current.isAtBottom && present?.atEnd && isAttentive()) acknowledge(id);
  };
  useEffect(() => {
    read();
    addEventListener("focus", read);
    document.addEventListener("visibilitychange", read);
    return () => {
      removeEventListener("focus", read);
      document.removeEventListener("visibilitychange", read);
    };
  }, [id, timeline]);

  // Pictures and long texts change their height after they are shown.
  useEffect(() => {
    const observer = new ResizeObserver(() => {
      if (scroll.current.isAtBottom && (state.peek().timelines[id]?.atEnd ?? false)) scroll.current.toBottom();
      else scroll.current.restore();
    });
    observer.observe(list.current);
    observer.observe(view.current);
    return () => observer.disconnect();
  }, []);

  const onScroll = () => {
    scroll.current.remember();
    fill();
    read();
  };
  const onKeyDown = useMessageKeys(view, timeline);
  return html`<div class="timeline-frame">
    <${UnreadBar}
      id=${id}
      firstUnread=${firstUnread}
      timeline=${timeline}
      scroll=${scroll}
      onJump=${() => firstUnread && jump(firstUnread, false)}
      onRead=${() => {
        release(id);
        acknowledge(id);
        setFirstUnread(null);
      }}
    />
    <div
      class="timeline"
      role="log"
      aria-live="off"
      aria-label=${t("messages")}
      ref=${view}
      onScroll=${onScroll}
      onKeyDown=${onKeyDown}
      tabindex="-1"
    >
      <ol ref=${list}>
        ${atStart && html`<li class="beginning" key="beginning">${t("beginning", {name})}</li>`}
        ${atStart && messages.length + pending.length === 0 && html`<li class="empty" key="empty">${t("no-messages")}</li>`}
        ${!atStart && html`<li class="muted" key="more">${error ? t("load-failed") : t("loading")}</li>`}
        ${entries(timeline, firstUnread, guild)}
        ${atEnd &&
        pending.map((each) => html`<${PendingMessage} key=${each.nonce} channel=${id} pending=${each} />`)}
        ${!atEnd && messages.length > 0 && html`<li class="muted" key="later">${error ? t("load-failed") : t("loading")}</li>`}
      </ol>
    </div>
    ${isMissing &&
    html`<p class="bar" role="status">
      ${t("message-missing")}
      <button type="button" class="link" onClick=${() => setMissing(false)}>${t("close")}</button>
    </p>`}
    ${error &&
    html`<p class="bar error" role="alert">
      ${error} <button type="button" onClick=${retry}>${t("retry")}</button>
    </p>`}
    <${ToPresent} isHidden=${atEnd || messages.length === 0} onClick=${toPresent} />
  </div>`;
}

/** @param {{isHidden: boolean, onClick: () => void}} properties */
const ToPresent = ({isHidden, onClick}) =>
  !isHidden && html`<button type="button" class="jump" onClick=${onClick}>${t("jump-to-present")}</button>`;

/**
 * Let screen readers read messages that arrive. The list itself is no live region: they would read
 * every part of the history that is loaded.
 * @param {string} id @param {import("../../state/shape.js").Timeline} timeline
 */
function useAnnouncements(id, {messages, atEnd}) {
  const last = useRef(/** @type {string | undefined} */ (undefined));
  useEffect(() => {
    const newest = messages.at(-1);
    const before = last.current;
    last.current = newest?.id;
    if (!atEnd || newest === undefined || before === undefined) return;
    if (compareIds(newest.id, before) <= 0 || newest.author.id === state.peek().me?.id) return;
    const name = newest.author.global_name || newest.author.username;
    announcement.value = t("message-arrived", {name, text: plain(newest.content, newest.guild_id).slice(0, 200)});
  }, [id, messages]);
}

/** Where the unread messages of a channel begin, if that is not in view. */

import {useEffect, useRef, useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {acknowledge, hold, isMarkedHere} from "../../net/history.js";
import {compareIds} from "../../state/shape.js";
import {state} from "../../state/store.js";
import {readUpTo, unread} from "../../state/select.js";
import {html} from "../html.js";
import {useSelect} from "../use.js";
import {isAttentive} from "./ui.js";

/**
 * Return the last message that was read when the channel was opened, or null if there is nothing new,
 * and a function that sets it. It moves when the user marks messages as unread, on any device, and when
 * messages arrive while the user looks elsewhere.
 * @param {string} id
 * @returns {[string | null, (read: string | null) => void]}
 */
export function useFirstUnread(id) {
  const [firstUnread, setFirstUnread] = useState(() =>
    unread(state.peek(), id).isUnread ? (readUpTo(state.peek(), id) ?? null) : null,
  );
  const read = useSelect((whole) => readUpTo(whole, id) ?? "0");
  const before = useRef(read);
  useEffect(() => {
    const hasDropped = compareIds(read, before.current) < 0;
    if (hasDropped && isMarkedHere(id, read)) acknowledge(id);
    else if (hasDropped) {
      hold(id);
      setFirstUnread(read);
    }
    before.current = read;
  }, [id, read]);
  const isBehind = useSelect((whole) => unread(whole, id).isUnread);
  useEffect(() => {
    if (isBehind && !isAttentive()) setFirstUnread(readUpTo(state.peek(), id) ?? null);
  }, [id, isBehind]);
  return [firstUnread, setFirstUnread];
}

/**
 * @param {{id: string, firstUnread: string | null, timeline: import("../../state/shape.js").Timeline,
 *   scroll: any, onJump: () => void, onRead: () => void}} properties
 */
export function UnreadBar({firstUnread, timeline, scroll, onJump, onRead}) {
  const [isSeen, setSeen] = useState(false);
  useEffect(() => setSeen(false), [firstUnread]);
  useEffect(() => {
    const first = timeline.messages.find((each) => compareIds(each.id, firstUnread ?? "0") > 0);
    const isFirstLoaded = timeline.atStart || first !== timeline.messages[0];
    const entry = first && isFirstLoaded && scroll.current.entry(first.id);
    if (!entry) return;
    const observer = new IntersectionObserver((changes) => {
      if (changes.some((each) => each.isIntersecting)) setSeen(true);
    });
    observer.observe(entry);
    return () => observer.disconnect();
  }, [firstUnread, timeline]);
  if (firstUnread === null || isSeen || timeline.messages.length === 0) return null;
  return html`<div class="unread-bar" role="status">
    <button type="button" class="link" onClick=${onJump}>${t("jump-to-unread")}</button>
    <button type="button" class="link" onClick=${onRead}>${t("mark-read")}</button>
  </div>`;
}

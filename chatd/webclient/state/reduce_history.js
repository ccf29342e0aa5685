/** Pages of history, and messages that are being sent. */

import {compareIds, NO_TIMELINE} from "./shape.js";
import {merged, trimmed, withTimeline} from "./timeline.js";

/**
 * @typedef {import("./shape.js").State} State
 * @typedef {import("./shape.js").Timeline} Timeline
 * @typedef {import("./shape.js").Json} Json
 */

/** Messages that a timeline keeps while another channel is shown. */
const KEPT = 50;

/** @type {Record<string, (state: State, data: any) => State>} */
export const HISTORY = {
  /**
   * A page of history: `before`, `after`, `around` or none of them says where it belongs; `limit`
   * its size. `newest` is the newest message when the page was asked for: if there is another one
   * now, the page may lack it.
   */
  "page loaded": (state, {channel, page, before, after, around, limit, newest}) => {
    const isCurrent = state.newest[channel] === newest;
    return withTimeline(state, channel, (present) => {
      const gone = new Set(present.removed);
      const loaded = page.filter((/** @type {Json} */ each) => !gone.has(each.id));
      const isWhole = page.length < limit;
      if (around !== undefined) return replaced(present, merged([], loaded), newest, isCurrent);
      if (before !== undefined) {
        const messages = trimmed(merged(present.messages, loaded), "end");
        const atEnd = present.atEnd && messages.at(-1)?.id === present.messages.at(-1)?.id;
        return {...present, messages, atStart: isWhole, atEnd};
      }
      if (after !== undefined) {
        const messages = trimmed(merged(present.messages, loaded), "start");
        const atStart = present.atStart && messages[0]?.id === present.messages[0]?.id;
        return {...present, messages, atStart, atEnd: isWhole && isCurrent};
      }
      const atEnd = isCurrent || page[0]?.id === state.newest[channel];
      return {...present, messages: merged([], loaded), atStart: isWhole, atEnd};
    });
  },

  /** The page leaves a part of a channel, or looks for another one. */
  "timeline forgotten": (state, {channel}) =>
    withTimeline(state, channel, (present) => ({...NO_TIMELINE, pending: present.pending})),

  /** Another channel is shown: the newest messages are kept, and nothing else. */
  "timeline left": (state, {channel}) =>
    state.timelines[channel] === undefined
      ? state
      : withTimeline(state, channel, (present) =>
          present.atEnd
            ? {
                ...present,
                messages: present.messages.slice(-KEPT),
                atStart: present.atStart && present.messages.length <= KEPT,
              }
            : {...NO_TIMELINE, pending: present.pending},
        ),

  "sending": (state, {channel, pending}) =>
    withTimeline(state, channel, (present) => ({
      ...present,
      pending: [...present.pending.filter((each) => each.nonce !== pending.nonce), pending],
    })),

  "sending changed": (state, {channel, nonce, change}) =>
    withTimeline(state, channel, (present) => ({
      ...present,
      pending: present.pending.map((each) => (each.nonce === nonce ? {...each, ...change} : each)),
    })),

  "sending ended": (state, {channel, nonce}) =>
    withTimeline(state, channel, (present) => ({
      ...present,
      pending: present.pending.filter((each) => each.nonce !== nonce),
    })),

  /** How many mentions are unread, counted by the server. */
  "reads counted": (state, {counts}) => ({
    ...state,
    reads: {
      ...state.reads,
      ...Object.fromEntries(
        counts
          .filter((/** @type {any} */ each) => state.reads[each.id]?.read === each.last_message_id)
          .map((/** @type {any} */ each) => [
            each.id,
            {read: each.last_message_id, mentions: each.mention_count},
          ]),
      ),
    },
  }),
};

/**
 * Return a timeline with other messages. That there are no later ones is known if the newest one is
 * among them; that there are no earlier ones turns out with the next page.
 * @param {Timeline} present
 * @param {Json[]} messages
 * @param {string | undefined} newest
 * @param {boolean} isCurrent
 */
function replaced(present, messages, newest, isCurrent) {
  const last = messages.at(-1)?.id;
  const atEnd =
    isCurrent && (last === undefined || newest === undefined || compareIds(last, newest) >= 0);
  return {...present, messages, atStart: messages.length === 0, atEnd};
}

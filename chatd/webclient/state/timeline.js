/** The messages of a channel that the page has: a part of its history without gaps. */

import {NO_TIMELINE, compareIds} from "./shape.js";

/**
 * @typedef {import("./shape.js").State} State
 * @typedef {import("./shape.js").Timeline} Timeline
 * @typedef {import("./shape.js").Json} Json
 */

/** Messages that a timeline keeps; those far from the view are loaded again when needed. */
export const MAX_MESSAGES = 300;
/** Ids of deleted messages that a timeline keeps, since a page that is being loaded may have them. */
const MAX_REMOVED = 200;

/**
 * Return the state with one timeline changed.
 * @param {State} state
 * @param {string} id
 * @param {(timeline: Timeline) => Timeline} change
 * @returns {State}
 */
export function withTimeline(state, id, change) {
  const present = state.timelines[id] ?? NO_TIMELINE;
  return {...state, timelines: {...state.timelines, [id]: change(present)}};
}

/**
 * Return the state with one message changed, also where replies quote it; the same state if the
 * page does not have it.
 * @param {State} state
 * @param {string} channel
 * @param {string} id
 * @param {(message: Json) => Json} change
 */
export function withMessage(state, channel, id, change) {
  const has = (/** @type {Json} */ each) => each.id === id || each.referenced_message?.id === id;
  if (!state.timelines[channel]?.messages.some(has)) return state;
  return withTimeline(state, channel, (present) => ({
    ...present,
    messages: present.messages.map((each) => {
      if (each.id === id) return change(each);
      if (!has(each)) return each;
      return {...each, referenced_message: change(each.referenced_message)};
    }),
  }));
}

/** Return the state without some messages. @param {State} state @param {string} channel @param {string[]} ids */
export function withoutMessages(state, channel, ids) {
  if (state.timelines[channel] === undefined) return state;
  const gone = new Set(ids);
  return withTimeline(state, channel, (present) => ({
    ...present,
    removed: [...present.removed, ...ids].slice(-MAX_REMOVED),
    messages: present.messages
      .filter((each) => !gone.has(each.id))
      .map((each) =>
        gone.has(each.referenced_message?.id) ? {...each, referenced_message: null} : each,
      ),
  }));
}

/** Merge two lists of messages in the order of their ids. @param {Json[]} one @param {Json[]} more */
export function merged(one, more) {
  const messages = new Map(one.map((each) => [each.id, each]));
  for (const each of more) messages.set(each.id, {...messages.get(each.id), ...each});
  return [...messages.values()].sort((a, b) => compareIds(a.id, b.id));
}

/** Drop what is too much at one end. @param {Json[]} messages @param {"start" | "end"} where */
export const trimmed = (messages, where) =>
  where === "start" ? messages.slice(-MAX_MESSAGES) : messages.slice(0, MAX_MESSAGES);

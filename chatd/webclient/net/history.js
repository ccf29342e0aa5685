/** The history of channels: loading parts of it, and marking what is read. */

import {compareIds} from "../state/shape.js";
import {dispatch, flush, state} from "../state/store.js";
import {listeners, rest} from "./session.js";

/** Messages of one page of history. */
export const PAGE = 50;
/** How often a page is asked for that is empty although the channel has a newest message. */
const EMPTY_ATTEMPTS = 3;
/** The first millisecond of ids. Rule: Discord docs, Snowflakes. */
const EPOCH_MS = 1_420_070_400_000;
/** The mentions are counted this long after the last event that needs it, in milliseconds. */
const COUNT_MS = 500;

/** @typedef {{before?: string, after?: string, around?: string}} Where */

/** @type {Map<string, Promise<void>>} */
const loading = new Map();

/**
 * Load messages of a channel: the newest, or those before, after or around a message.
 * @param {string} channel
 * @param {Where} [where]
 */
export function loadPage(channel, where = {}) {
  const key = `${channel} ${JSON.stringify(where)}`;
  const present = loading.get(key);
  if (present !== undefined) return present;
  const promise = load(channel, where).finally(() => loading.delete(key));
  loading.set(key, promise);
  return promise;
}

/** @param {string} channel @param {Where} where */
async function load(channel, where) {
  const show = (/** @type {any[]} */ page, /** @type {string | undefined} */ newest) =>
    dispatch({type: "page loaded", data: {channel, page, limit: PAGE, newest, ...where}});
  for (let attempt = 0; attempt < EMPTY_ATTEMPTS; attempt++) {
    flush();
    const newest = state.value.newest[channel];
    const page = await rest.get(`/channels/${channel}/messages`, {limit: PAGE, ...where});
    flush(); // messages that have come while the page was loaded
    if (isStale(channel, where)) return;
    show(page, newest);
    const {messages, atEnd} = state.value.timelines[channel];
    if (messages.length > 0 || atEnd) return;
    // The first messages of the channel have come meanwhile, and there is none to load them after.
  }
  show([], state.value.newest[channel]); // the user may not read the history
}

/**
 * Return whether the timeline has been replaced since a page was asked for, so that the page would
 * leave a gap.
 * @param {string} channel @param {Where} where
 */
function isStale(channel, {before, after}) {
  const messages = state.value.timelines[channel]?.messages ?? [];
  const edge = before ?? after;
  if (edge === undefined) return false;
  const [first, last] = [messages[0]?.id, messages.at(-1)?.id];
  if (first === undefined || last === undefined) return true;
  return before === undefined ? compareIds(edge, last) > 0 || compareIds(edge, first) < 0 : edge !== first;
}

/** Return to the newest messages. @param {string} channel */
export function loadPresent(channel) {
  dispatch({type: "timeline forgotten", data: {channel}});
  return loadPage(channel);
}

/** Load the messages around one of them. @param {string} channel @param {string} message */
export function loadAround(channel, message) {
  dispatch({type: "timeline forgotten", data: {channel}});
  return loadPage(channel, {around: message});
}

/**
 * Return the id of the first message since a moment, or of the last one before it; null if the
 * channel has none.
 * @param {string} channel
 * @param {number} moment in milliseconds
 */
export async function messageAt(channel, moment) {
  const id = String(BigInt(Math.max(0, moment - EPOCH_MS)) << 22n);
  const path = `/channels/${channel}/messages`;
  const [since] = await rest.get(path, {after: id, limit: 1});
  if (since !== undefined) return String(since.id);
  const [before] = await rest.get(path, {before: id, limit: 1});
  return before === undefined ? null : String(before.id);
}

// Read states

/** Channels that the user has marked as unread, and still looks at. @type {Set<string>} */
const held = new Set();
/** Channels for which a request runs. @type {Set<string>} */
const acknowledging = new Set();

/** The last message up to which this page has marked a channel as read. @type {Map<string, string>} */
const marked = new Map();

/**
 * Return whether a read state is one that this page has asked for. Its event may come after the user has
 * written a message, which is later: then the channel looks unread, though no device has marked it so.
 * @param {string} channel @param {string} message
 */
export const isMarkedHere = (channel, message) => marked.get(channel) === message;

/** Mark a channel as read, up to its newest message. @param {string} channel */
export async function acknowledge(channel) {
  if (held.has(channel) || acknowledging.has(channel)) return;
  const newest = state.value.newest[channel];
  const {read, mentions} = state.value.reads[channel] ?? {read: "0", mentions: 0};
  if (newest === undefined || (compareIds(newest, read) <= 0 && mentions === 0)) return;
  acknowledging.add(channel);
  marked.set(channel, newest);
  try {
    await post(channel, newest, {token: null});
    if (state.value.newest[channel] === newest) {
      dispatch({type: "MESSAGE_ACK", data: {channel_id: channel, message_id: newest}});
    }
  } catch {
    return; // the next look at the channel tries again
  } finally {
    acknowledging.delete(channel);
  }
  if (state.value.newest[channel] !== newest) acknowledge(channel);
}

/**
 * Mark a message and those after it as unread. They stay so while the user looks at the channel.
 * @param {any} message
 */
export async function markUnread(message) {
  const channel = message.channel_id;
  const before = String(BigInt(message.id) - 1n);
  held.add(channel);
  marked.delete(channel);
  try {
    await post(channel, before, {manual: true});
  } catch (error) {
    held.delete(channel);
    throw error;
  }
}

/** Let a channel be marked as read again. @param {string} channel */
export const release = (channel) => held.delete(channel);

/** Do not mark a channel as read until it is released. @param {string} channel */
export const hold = (channel) => held.add(channel);

/** @param {string} channel @param {string} message @param {any} body */
const post = (channel, message, body) =>
  rest.request("POST", `/channels/${channel}/messages/${message}/ack`, {body, isRepeatable: true});

let counting = 0;

/** Count the mentions if a channel is read in part: the event does not say how many are left. */
listeners.add((name, data) => {
  if (name !== "MESSAGE_ACK") return;
  const newest = state.value.newest[data.channel_id];
  if (newest === undefined || compareIds(data.message_id, newest) >= 0) return;
  clearTimeout(counting);
  counting = setTimeout(async () => {
    try {
      const counts = await rest.get("/users/@me/read-states");
      flush();
      dispatch({type: "reads counted", data: {counts}});
    } catch {
      // The next event or READY brings the counts.
    }
  }, COUNT_MS);
});

/**
 * The login of this page: its requests, its gateway session, and what the user does with them.
 *
 * Views call these functions. What they change reaches the state by events of the gateway, but for
 * messages that are being sent, which are shown at once.
 */

import {signal} from "../vendor/signals.js";
import {compareIds} from "../state/shape.js";
import {dispatch, enqueue, flush, state} from "../state/store.js";
import {reason} from "../view/errors.js";
import {Gateway} from "./gateway.js";
import {Rest} from "./rest.js";

export const rest = new Rest();

/** Messages of one page of history. */
export const PAGE = 50;
const TYPING_EVERY_MS = 8000;
const NOTICE_MS = 4000;

/** What the page shows of its connection. @type {import("../vendor/signals.js").Signal<any>} */
export const connection = signal({status: "connecting", retryAt: 0, notice: ""});

/** Whether the user is logged in, or was logged out by the server. */
export const login = signal(rest.tokens.login === null ? "none" : "present");

/** @type {Gateway | null} */
let gateway = null;

rest.tokens.onEnd = () => {
  stop();
  login.value = "ended";
};

/** Connect, with the login that is there. */
export function start() {
  if (gateway !== null || rest.tokens.login === null) return;
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  let refused = "";
  gateway = new Gateway(
    `${scheme}//${location.host}/gateway`,
    async () => {
      const token = await rest.tokens.access(refused || undefined);
      refused = "";
      return token;
    },
    {
      onEvent: (name, data) => {
        if (name === "READY") {
          flush();
          const isAgain = state.value.me !== null;
          dispatch({type: name, data});
          if (isAgain) notice("status-reloading");
        } else {
          enqueue({type: name, data});
        }
      },
      onStatus: (status, retryAt) => {
        if (status === "ended") {
          rest.tokens.clear();
          rest.tokens.onEnd();
          return;
        }
        connection.value = {...connection.value, status, retryAt};
      },
      onResumed: () => notice("status-resumed"),
    },
    new URL("./ticker.js", import.meta.url),
  );
  gateway.reconnect();
  login.value = "present";
}

function stop() {
  gateway?.end();
  gateway = null;
  dispatch({type: "READY", data: {user: null, guilds: [], private_channels: [], relationships: []}});
}

export const connectNow = () => gateway?.reconnect();

let noticeTimer = 0;

/** Show a short text about the connection. @param {string} id */
function notice(id) {
  clearTimeout(noticeTimer);
  connection.value = {...connection.value, notice: id};
  noticeTimer = setTimeout(() => {
    connection.value = {...connection.value, notice: ""};
  }, NOTICE_MS);
}

/** @param {string} path @param {any} body */
export async function enter(path, body) {
  await rest.enter(path, body);
  start();
}

export async function logOut() {
  try {
    await rest.logOut();
  } finally {
    stop();
    login.value = "none";
  }
}

// History

/** @type {Map<string, Promise<void>>} */
const loading = new Map();

/**
 * Load messages of a channel: the newest, or those before or after a message.
 * @param {string} channel
 * @param {{before?: string, after?: string}} [where]
 */
export function loadPage(channel, where = {}) {
  const key = `${channel} ${where.before ?? ""} ${where.after ?? ""}`;
  const present = loading.get(key);
  if (present !== undefined) return present;
  const promise = (async () => {
    const page = await rest.get(`/channels/${channel}/messages`, {limit: PAGE, ...where});
    dispatch({type: "page loaded", data: {channel, page, limit: PAGE, ...where}});
  })().finally(() => loading.delete(key));
  loading.set(key, promise);
  return promise;
}

/** Return to the newest messages. @param {string} channel */
export function loadPresent(channel) {
  dispatch({type: "timeline forgotten", data: {channel}});
  return loadPage(channel);
}

/** @type {Map<string, string>} */
const acknowledged = new Map();

/** Mark a channel as read, up to its newest message. @param {string} channel */
export async function acknowledge(channel) {
  const newest = state.value.newest[channel];
  const read = acknowledged.get(channel) ?? state.value.reads[channel]?.read ?? "0";
  const mentions = state.value.reads[channel]?.mentions ?? 0;
  if (newest === undefined || (compareIds(newest, read) <= 0 && mentions === 0)) return;
  if (acknowledged.get(channel) === newest) return;
  acknowledged.set(channel, newest);
  try {
    await rest.request("POST", `/channels/${channel}/messages/${newest}/ack`, {
      body: {token: null},
      isRepeatable: true,
    });
  } catch {
    acknowledged.delete(channel); // the next look at the channel tries again
  }
}

// Messages

let lastNonce = 0;

/** Send a message; it is shown at once. @param {string} channel @param {any} draft */
export function send(channel, {content, reply, files}) {
  lastNonce = Math.max(lastNonce + 1, Date.now());
  const pending = {
    nonce: String(lastNonce),
    content,
    reply,
    files,
    status: "sending",
    reason: "",
    progress: 0,
  };
  dispatch({type: "sending", data: {channel, pending}});
  return deliver(channel, pending);
}

/** @param {string} channel @param {any} pending */
export function sendAgain(channel, pending) {
  const again = {...pending, status: "sending", reason: "", progress: 0};
  dispatch({type: "sending", data: {channel, pending: again}});
  return deliver(channel, again);
}

/** @type {Map<string, AbortController>} */
const uploads = new Map();

/** Stop an upload, or drop a message that was not sent. @param {string} channel @param {string} nonce */
export function drop(channel, nonce) {
  uploads.get(nonce)?.abort();
  dispatch({type: "sending ended", data: {channel, nonce}});
}

/** @type {Map<string, Promise<void>>} Messages of a channel are sent one after the other. */
const lines = new Map();

/** @param {string} channel @param {any} pending */
function deliver(channel, pending) {
  const line = (lines.get(channel) ?? Promise.resolve()).then(() => deliverNow(channel, pending));
  lines.set(channel, line);
  return line;
}

/** @param {string} channel @param {any} pending */
async function deliverNow(channel, {nonce, content, reply, files}) {
  // The server stores a message with an enforced nonce once, however often it is sent.
  const body = {
    content,
    nonce,
    enforce_nonce: true,
    message_reference: reply ? {message_id: reply.id, fail_if_not_exists: false} : undefined,
  };
  const path = `/channels/${channel}/messages`;
  try {
    if (files.length > 0) {
      const controller = new AbortController();
      uploads.set(nonce, controller);
      const onProgress = (/** @type {number} */ progress) =>
        enqueue({type: "sending changed", data: {channel, nonce, change: {progress}}});
      await rest.upload(path, body, files, {onProgress, signal: controller.signal});
    } else {
      await rest.request("POST", path, {body, isRepeatable: true});
    }
    flush(); // the event has come before the answer
    dispatch({type: "sending ended", data: {channel, nonce}});
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return;
    const change = {status: "failed", reason: reason(error)};
    dispatch({type: "sending changed", data: {channel, nonce, change}});
  } finally {
    uploads.delete(nonce);
  }
}

/** @param {any} message @param {string} content */
export const edit = (message, content) =>
  rest.patch(`/channels/${message.channel_id}/messages/${message.id}`, {content});

/** @param {any} message */
export const remove = (message) =>
  rest.delete(`/channels/${message.channel_id}/messages/${message.id}`);

/** @param {any} message @param {string} emoji */
export function toggleReaction(message, emoji) {
  const isMine = (message.reactions ?? []).some(
    (/** @type {any} */ each) => each.emoji.name === emoji && each.me,
  );
  const path = `/channels/${message.channel_id}/messages/${message.id}/reactions/`;
  const own = `${path}${encodeURIComponent(emoji)}/@me`;
  return isMine ? rest.delete(own) : rest.put(own);
}

let typedAt = 0;
let typedIn = "";

/** Tell the others that the user types. @param {string} channel */
export function typed(channel) {
  const now = Date.now();
  if (typedIn === channel && now - typedAt < TYPING_EVERY_MS) return;
  [typedIn, typedAt] = [channel, now];
  rest.post(`/channels/${channel}/typing`).catch(() => {}); // nothing depends on it
}

/** After a message the user does not type any more. */
export const typingEnded = () => {
  typedAt = 0;
};

// Members

/** Ask for parts of a guild's member list. @param {string} guild @param {string} channel @param {number[][]} ranges */
export const watchMembers = (guild, channel, ranges) =>
  gateway?.send(14, {guild_id: guild, typing: true, activities: true, channels: {[channel]: ranges}});

/** What the user does with messages: sending, changing, reactions, pins. */

import {guildOfChannel} from "../state/select.js";
import {dispatch, enqueue, state} from "../state/store.js";
import {t} from "../lang/translate.js";
import {isReadable} from "./files.js";
import {release} from "./history.js";
import {reason} from "./reasons.js";
import {listeners, rest} from "./session.js";
import {forgetUnsent, keepUnsent, takeUnsent} from "./unsent.js";

const TYPING_EVERY_MS = 8000;
/** The server knows an enforced nonce for ten minutes; one less, for the time of a request. */
const NONCE_MS = 540_000;
let lastNonce = 0;

/** Send a message; it is shown at once. @param {string} channel @param {any} draft */
export function send(channel, {content, reply, files, descriptions = []}) {
  lastNonce = Math.max(lastNonce + 1, Date.now());
  const pending = {
    nonce: String(lastNonce),
    content,
    reply,
    files,
    descriptions,
    status: "sending",
    reason: "",
    progress: 0,
  };
  release(channel);
  return start(channel, pending);
}

/** @param {string} channel @param {any} pending */
export function sendAgain(channel, pending) {
  return start(channel, {...pending, lost: [], status: "sending", reason: "", progress: 0});
}

/** @param {string} channel @param {any} pending */
function start(channel, pending) {
  keepUnsent(channel, pending);
  dispatch({type: "sending", data: {channel, pending}});
  return deliver(channel, pending);
}

// What pages that are closed have not sent: what can be sent once is, and the rest is shown.
listeners.add(async (name) => {
  if (name !== "READY") return;
  for (const {channel, pending} of await takeUnsent()) {
    const isOpen = pending.status === "sending";
    if (isOpen && pending.lost.length === 0 && Date.now() - Number(pending.nonce) < NONCE_MS) {
      start(channel, pending);
    } else {
      const reason = isOpen ? t("not-sent-closed") : pending.reason;
      dispatch({type: "sending", data: {channel, pending: {...pending, status: "failed", reason}}});
    }
  }
});

/** @type {Map<string, AbortController>} */
const uploads = new Map();

/** Stop an upload, or drop a message that was not sent. @param {string} channel @param {string} nonce */
export function drop(channel, nonce) {
  uploads.get(nonce)?.abort();
  forgetUnsent(nonce);
  dispatch({type: "sending ended", data: {channel, nonce}});
}

/** @type {Map<string, Promise<void>>} Messages of a channel are sent one after the other. */
const lines = new Map();

/** @param {string} channel @param {any} pending */
function deliver(channel, pending) {
  const before = (lines.get(channel) ?? Promise.resolve()).catch(() => {});
  const line = before.then(() => deliverNow(channel, pending));
  lines.set(channel, line);
  return line;
}

/** @param {string} channel @param {any} pending */
async function deliverNow(channel, {nonce, content, reply, files, descriptions}) {
  const waiting = state.value.timelines[channel]?.pending ?? [];
  if (!waiting.some((each) => each.nonce === nonce)) return; // dropped while others were sent
  // The server stores a message with an enforced nonce once, however often it is sent.
  const body = {
    content,
    nonce,
    enforce_nonce: true,
    attachments: descriptions.some(Boolean)
      ? descriptions.map((/** @type {string} */ description, /** @type {number} */ id) => ({id, description}))
      : undefined,
    message_reference: reply ? {message_id: reply.id, fail_if_not_exists: false} : undefined,
  };
  const path = `/channels/${channel}/messages`;
  const guild = guildOfChannel(state.value, channel)?.id;
  let sent;
  try {
    if (files.length > 0) {
      const controller = new AbortController();
      uploads.set(nonce, controller);
      const onProgress = (/** @type {number} */ progress) =>
        enqueue({type: "sending changed", data: {channel, nonce, change: {progress}}});
      sent = await rest.upload(path, body, files, {onProgress, signal: controller.signal});
    } else {
      sent = await rest.request("POST", path, {body, isRepeatable: true});
    }
    // The answer may come before the event.
    dispatch({type: "MESSAGE_CREATE", data: {...sent, guild_id: guild}});
    dispatch({type: "sending ended", data: {channel, nonce}});
    forgetUnsent(nonce);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return;
    const change = {status: "failed", reason: (await unreadable(files)) ?? reason(error)};
    dispatch({type: "sending changed", data: {channel, nonce, change}});
    const failed = state.value.timelines[channel]?.pending.find((each) => each.nonce === nonce);
    if (failed) keepUnsent(channel, failed);
    else forgetUnsent(nonce); // its event has come, or the user has logged out
  } finally {
    uploads.delete(nonce);
  }
}

/** Return what to say if a file cannot be read any more: the browser says only that a request failed. @param {File[]} files */
async function unreadable(files) {
  for (const file of files) if (!(await isReadable(file))) return t("file-unreadable", {name: file.name});
  return null;
}

/** @param {any} message @param {string} content */
export const edit = (message, content) => rest.patch(pathOf(message), {content});

/** @param {any} message */
export const remove = (message) => rest.delete(pathOf(message));

/** The name of an emoji in paths. @param {any} emoji */
const inPath = (emoji) => encodeURIComponent(emoji.id ? `${emoji.name}:${emoji.id}` : emoji.name);

/** Add the user's reaction, or remove it. @param {any} message @param {any} emoji */
export function toggleReaction(message, emoji) {
  const isMine = (message.reactions ?? []).some(
    (/** @type {any} */ each) =>
      each.me && (each.emoji.id ?? each.emoji.name) === (emoji.id ?? emoji.name),
  );
  const own = `${pathOf(message)}/reactions/${inPath(emoji)}/@me`;
  return isMine ? rest.delete(own) : rest.put(own);
}

/** List users that have reacted with an emoji. @param {any} message @param {any} emoji */
export const reactedBy = (message, emoji) =>
  rest.get(`${pathOf(message)}/reactions/${inPath(emoji)}`, {limit: 50});

/** @param {any} message @param {boolean} isPinned */
export function setPinned(message, isPinned) {
  const path = `/channels/${message.channel_id}/messages/pins/${message.id}`;
  return isPinned ? rest.put(path) : rest.delete(path);
}

/** @param {any} message */
const pathOf = (message) => `/channels/${message.channel_id}/messages/${message.id}`;

let typedAt = 0;
let typedIn = "";

/** Show the others that the user types. @param {string} channel */
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


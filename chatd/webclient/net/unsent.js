/**
 * Messages that are not sent yet, kept by the browser until they are: they survive a reload.
 *
 * Each is kept for its account, by the page that shows it. When that page is closed, the next one
 * shows it. A page holds a lock of the browser (Web Locks API) as long as it is open; where the
 * browser has none, all pages show all messages, and the nonce keeps the server from storing one
 * twice. Files are not kept, only their names.
 */

import {channelOf} from "../state/select.js";
import {state} from "../state/store.js";
import {keys, read, write} from "./storage.js";

const PREFIX = "chatd.unsent.";
/** Messages that are kept for an account; the oldest ones are dropped. */
const MAX_KEPT = 50;

const page = String(Math.random()).slice(2);
let isHeld = false;

/** @param {string} id of a page */
const lockOf = (id) => `chatd.page.${id}`;

const prefix = () => `${PREFIX}${state.peek().me?.id}.`;

/** The keys of this account's messages, the oldest first. */
const kept = () => keys().filter((each) => each.startsWith(prefix())).sort();

/** Keep a message, in the place of its earlier form. @param {string} channel @param {any} pending */
export function keepUnsent(channel, {nonce, content, reply, files, descriptions, lost = [], status, reason}) {
  if (!isHeld) navigator.locks?.request(lockOf(page), () => new Promise(() => {}));
  isHeld = true;
  const names = [...lost, ...files.map((/** @type {File} */ each) => each.name)];
  const message = {channel, page, content, reply: reply && {id: reply.id}, descriptions, lost: names, status, reason};
  write(prefix() + nonce, JSON.stringify(message));
  for (const each of kept().slice(0, -MAX_KEPT)) write(each, null);
}

/** @param {string} nonce of a message that is sent, or dropped by the user */
export const forgetUnsent = (nonce) => write(prefix() + nonce, null);

/**
 * Return the messages of closed pages, the oldest first. They now belong to this page.
 * @returns {Promise<{channel: string, pending: any}[]>}
 */
export async function takeUnsent() {
  if (kept().length === 0) return [];
  return navigator.locks ? navigator.locks.request("chatd.unsent", taken) : taken();
}

async function taken() {
  const {held = []} = (await navigator.locks?.query()) ?? {};
  const open = new Set([lockOf(page), ...held.map((each) => each.name)]);
  const found = [];
  for (const key of kept()) {
    const message = parsed(read(key));
    if (message === null) write(key, null);
    // That of a channel which the user does not see now may be shown another time.
    if (message === null || open.has(lockOf(message.page)) || !channelOf(state.peek(), message.channel)) continue;
    const {channel, page: _, ...rest} = message;
    const pending = {...rest, nonce: key.slice(prefix().length), files: [], progress: 0};
    keepUnsent(channel, pending);
    found.push({channel, pending});
  }
  return found;
}

/** Return a message as it was kept; null if it is none. @param {string | null} text */
function parsed(text) {
  try {
    const {channel, page: owner, content, reply, descriptions, lost, status, reason} = JSON.parse(text ?? "");
    const isMessage = [channel, owner, content, status, reason].every((each) => typeof each === "string");
    return isMessage ? {channel, page: owner, content, reply, descriptions, lost: [...lost], status, reason} : null;
  } catch {
    return null;
  }
}

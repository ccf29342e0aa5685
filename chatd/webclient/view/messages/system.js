/** Messages that the server writes: members joined, a message was pinned, and so on. */

import {t} from "../../lang/translate.js";
import {date} from "./message_time.js";

/** Types of messages that users write; the server writes the others. */
const WRITTEN = new Set([0, 19, 20, 23]);
/** Types of messages of the server that have a text here. Rule: Discord docs, Message Types. */
const SYSTEM = new Set([1, 2, 4, 5, 6, 7, 12, 24, 36]);

/** The content of this type is the time until which invites are paused. */
const INVITES_PAUSED = 36;

/** @param {any} message */
export const isWritten = (message) => WRITTEN.has(message.type);

/** @param {any} message */
export function systemText({type, author, content, mentions}) {
  const name = author.global_name || author.username;
  const other = mentions[0]?.global_name || mentions[0]?.username || name;
  const said = type === INVITES_PAUSED ? date(content) : content;
  return SYSTEM.has(type) ? t(`system-${type}`, {name, other, content: said}) : content;
}

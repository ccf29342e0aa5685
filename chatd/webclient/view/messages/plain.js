/** Texts of messages as they are shown, without marks: for screen readers, notifications, and previews of replies. */

import {channelOf, titleOf} from "../../state/select.js";
import {state} from "../../state/store.js";
import {CodeBlock} from "./code.js";
import {Markdown} from "./markdown.js";
import {ChannelMention, RoleMention, UserMention, roleName, userName} from "./mentions.js";
import {date} from "./message_time.js";
import {Spoiler} from "./spoiler.js";
import {Timestamp} from "./timestamp.js";

/** Elements that end a line. */
const BLOCKS = new Set(["p", "li", "blockquote"]);

/** @type {[any, (properties: any) => string][]} */
const TEXTS = [
  [Spoiler, () => "…"], // it stays one
  [CodeBlock, ({code}) => `${code}\n`],
  [UserMention, ({id, guild}) => `@${userName(state.peek(), id, guild)}`],
  [RoleMention, ({id}) => `@${roleName(state.peek(), id)}`],
  [ChannelMention, ({id}) => `#${channelName(id)}`],
  [Timestamp, ({seconds}) => timeOf(seconds)],
];
/** The texts of views within a text. */
const VIEWS = new Map(TEXTS);

/** @param {string} text @param {string} [guild] */
export const plain = (text, guild) => textOf(Markdown({text, guild})).trim();

/** @param {any} node @returns {string} */
function textOf(node) {
  if (Array.isArray(node)) return node.map(textOf).join("");
  if (node === null || typeof node !== "object") return typeof node === "string" ? node : "";
  const view = VIEWS.get(node.type);
  if (view !== undefined) return view(node.props);
  const inner = textOf(node.props.children);
  return BLOCKS.has(node.type) && !inner.endsWith("\n") ? `${inner}\n` : inner;
}

/** @param {string} id */
function channelName(id) {
  const channel = channelOf(state.peek(), id);
  return channel ? titleOf(state.peek(), channel) : id;
}

/** @param {number} seconds */
function timeOf(seconds) {
  const moment = new Date(seconds * 1000);
  return Number.isNaN(moment.getTime()) ? `<t:${seconds}>` : date(moment.toISOString());
}

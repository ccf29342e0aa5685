/** Completing what the user types: mentions after `@`, channels after `#`, and emoji after a colon. */

import {t} from "../../lang/translate.js";
import {membersLike} from "../../net/members.js";
import {MENTION_EVERYONE} from "../../state/permissions.js";
import {guildOfChannel, may, nameOf, sections} from "../../state/select.js";
import {state} from "../../state/store.js";
import {emoji, emojiLike} from "./emoji.js";

const MAX_OPTIONS = 8;
/** What stands before the caret, if it can be completed. */
const TRIGGER = /(?:^|[\s(])([@#])([\p{L}\p{N}_.-]{0,32})$|(?:^|[^\p{L}\p{N}:])(:)([\w+-]{2,32})$/u;

/**
 * @typedef {object} Option
 * @property {string} key
 * @property {string} label
 * @property {string} [detail]
 * @property {string} insert What is written into the field.
 * @property {string} [stands] What is sent instead.
 *
 * @typedef {{mark: string, text: string, from: number}} Trigger
 */

/**
 * Return whether a caret is in code, as far as the text before it says.
 * @param {string} text @param {number} caret
 * @returns {"text" | "block" | "inline"}
 */
export function placeOf(text, caret) {
  const parts = text.slice(0, caret).split("```");
  if (parts.length % 2 === 0) return "block";
  const line = parts[parts.length - 1].split("\n").at(-1) ?? "";
  return line.split("`").length % 2 === 0 ? "inline" : "text";
}

/** Return what is completed. @param {string} text @param {number} caret @returns {Trigger | null} */
export function triggerAt(text, caret) {
  const before = text.slice(Math.max(0, caret - 64), caret);
  const match = TRIGGER.exec(before);
  if (match === null) return null;
  const mark = match[1] ?? match[3];
  const place = placeOf(text, caret);
  if (place === "block" || (place === "inline" && mark === ":")) return null;
  const typed = match[2] ?? match[4] ?? "";
  return {mark, text: typed, from: caret - typed.length - 1};
}

/** @param {string} channel @param {Trigger} trigger @returns {Promise<Option[]>} */
export async function optionsFor(channel, {mark, text}) {
  if (mark === ":") return emojiOptions(text);
  if (mark === "#") return channelOptions(channel, text);
  return mentionOptions(channel, text);
}

/** @param {string} text @returns {Promise<Option[]>} */
async function emojiOptions(text) {
  const found = emojiLike(await emoji(), text, MAX_OPTIONS);
  return found.map((each) => ({
    key: each.text,
    label: `${each.text} :${each.codes[0]}:`,
    detail: each.label,
    insert: each.text,
  }));
}

/** @param {string} channel @param {string} text @returns {Option[]} */
function channelOptions(channel, text) {
  const guild = guildOfChannel(state.peek(), channel);
  if (guild === undefined) return [];
  const wanted = text.toLowerCase();
  return sections(guild)
    .flatMap((each) => each.channels)
    .filter((each) => each.name.toLowerCase().includes(wanted))
    .slice(0, MAX_OPTIONS)
    .map((each) => ({key: each.id, label: `#${each.name}`, insert: `#${each.name} `, stands: `<#${each.id}>`}));
}

/** @param {string} channel @param {string} text @returns {Promise<Option[]>} */
async function mentionOptions(channel, text) {
  const guild = guildOfChannel(state.peek(), channel);
  const users = await membersLike(channel, guild?.id, text);
  const shown = users.map((user) => ({
    key: user.id,
    label: `@${nameOf(state.peek(), user, guild?.id)}`,
    detail: user.username,
    insert: `@${user.username} `,
    stands: `<@${user.id}>`,
  }));
  return [...shown.slice(0, MAX_OPTIONS - 2), ...roleOptions(channel, guild, text)].slice(0, MAX_OPTIONS);
}

/** @param {string} channel @param {any} guild @param {string} text @returns {Option[]} */
function roleOptions(channel, guild, text) {
  const wanted = text.toLowerCase();
  const mayAll = may(state.peek(), channel, MENTION_EVERYONE, false);
  /** @type {Option[]} */
  const everyone = mayAll
    ? [
        {key: "everyone", label: "@everyone", detail: t("mention-everyone"), insert: "@everyone "},
        {key: "here", label: "@here", detail: t("mention-here"), insert: "@here "},
      ].filter((each) => each.key.startsWith(wanted))
    : [];
  const roles = /** @type {any[]} */ (Object.values(guild?.roles ?? {}))
    .filter((each) => each.id !== guild.id && (each.mentionable || mayAll))
    .filter((each) => each.name.toLowerCase().includes(wanted))
    .map((each) => ({
      key: each.id,
      label: `@${each.name}`,
      detail: t("role"),
      insert: `@${each.name} `,
      stands: `<@&${each.id}>`,
    }));
  return [...everyone, ...roles];
}

/**
 * Return a text as it is sent: names that were chosen become mentions, but not in code.
 * @param {string} text @param {Record<string, string>} mentions
 */
export function withMentions(text, mentions) {
  const names = Object.keys(mentions).sort((a, b) => b.length - a.length);
  if (names.length === 0) return text;
  const escaped = names.map((each) => each.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const pattern = new RegExp(`(\`\`\`[^]*?\`\`\`|\`[^\`\n]+\`)|(${escaped.join("|")})(?![\\p{L}\\p{N}_])`, "gu");
  return text.replace(pattern, (whole, code, name) => (code === undefined ? (mentions[name] ?? whole) : whole));
}

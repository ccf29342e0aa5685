/**
 * Discord's Markdown as nodes: blocks of lines. Text of users never becomes HTML: it ends in text nodes
 * and in a few elements, and only http and https addresses become links.
 */

import {html} from "../html.js";
import {CodeBlock} from "./code.js";
import {inline} from "./markdown_inline.js";

/** Quotes and lists nest at most this deep. */
const MAX_DEPTH = 5;
/** A message of no more than this many emoji, and nothing else, shows them large. */
const MAX_LARGE = 30;

/** Empty lines around the code are cut apart from this: within, they would take cubic time. */
const FENCE = /```(?:([\w+#-]{1,20})\n)?([^]+?)```/g;
/** An emoji: a flag, a key, or a sequence of pictures. Each part begins with other characters. */
const EMOJI =
  /\p{Regional_Indicator}{2}|[0-9#*]\ufe0f?\u20e3|(?!\p{Regional_Indicator})(?:\p{Emoji_Presentation}|\p{Extended_Pictographic}(?=\ufe0f|\p{Emoji_Modifier}))(?:\ufe0f|\p{Emoji_Modifier})?[\u{e0020}-\u{e007f}]*(?:\u200d\p{Extended_Pictographic}(?:\ufe0f|\p{Emoji_Modifier})?)*/gu;

/** @param {{text: string, guild?: string}} properties */
export function Markdown({text, guild}) {
  if (text === "") return null;
  if (isEmojiOnly(text)) return html`<p class="large">${text}</p>`;
  return blocks(text, {guild, depth: 0});
}

/** @param {string} text */
function isEmojiOnly(text) {
  const count = text.match(EMOJI)?.length ?? 0;
  return count > 0 && count <= MAX_LARGE && text.replace(EMOJI, "").trim() === "";
}

/**
 * @typedef {{guild?: string, depth: number}} Place
 * @param {string} text
 * @param {Place} place
 * @returns {any[]}
 */
function blocks(text, place) {
  // A quote to the end contains the code in it.
  const rest = /(?:^|\n)>>> ([^]*)$/.exec(text);
  const before = rest === null ? text : text.slice(0, rest.index);
  const isInCode = rest !== null && (before.match(/```/g)?.length ?? 0) % 2 === 1;
  if (rest !== null && !isInCode && place.depth < MAX_DEPTH) {
    const within = blocks(rest[1], {...place, depth: place.depth + 1});
    return [...(before === "" ? [] : blocks(before, place)), html`<blockquote>${within}</blockquote>`];
  }
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(FENCE)) {
    nodes.push(...lines(text.slice(from, match.index).replace(/\n$/, ""), place));
    nodes.push(html`<${CodeBlock} language=${match[1] ?? ""} code=${trimmed(match[2])} />`);
    from = match.index + match[0].length;
  }
  const end = from === 0 ? text : text.slice(from).replace(/^\n/, "");
  nodes.push(...lines(end, place));
  return nodes;
}

/** Return code without the empty lines around it. @param {string} code */
function trimmed(code) {
  let [start, end] = [0, code.length];
  while (start < end && code[start] === "\n") start += 1;
  while (end > start && code[end - 1] === "\n") end -= 1;
  return code.slice(start, end);
}

/** The kinds of lines. What follows the mark is the second group. @type {[string, RegExp][]} */
const LINES = [
  ["heading", /^(#{1,3}) +(\S.*)$/],
  ["subtext", /^(-#) +(\S.*)$/],
  ["quote", /^(>) (.*)$/],
  ["item", /^( *[-*]|\s*\d{1,9}\.) +(\S.*)$/],
];

/** @param {string} line @returns {{kind: string, mark: string, text: string}} */
function parsed(line) {
  for (const [kind, pattern] of LINES) {
    const match = pattern.exec(line);
    if (match !== null) return {kind, mark: match[1], text: match[2]};
  }
  return {kind: "text", mark: "", text: line};
}

/** Render lines: neighbors of one kind become one block. @param {string} text @param {Place} place */
function lines(text, place) {
  if (text === "") return [];
  /** @type {{kind: string, mark: string, text: string}[][]} */
  const groups = [];
  for (const line of text.split("\n").map(parsed)) {
    const last = groups.at(-1);
    const isSingle = line.kind === "heading" || line.kind === "subtext";
    if (last !== undefined && last[0].kind === line.kind && !isSingle) last.push(line);
    else groups.push([line]);
  }
  return groups.map((group) => block(group, place));
}

/** @param {{kind: string, mark: string, text: string}[]} group @param {Place} place @returns {any} */
function block(group, place) {
  const [{kind, mark, text}] = group;
  const {guild} = place;
  const joined = group.map((each) => each.text).join("\n");
  if (kind === "heading") {
    return html`<p class="heading" role="heading" aria-level=${mark.length + 2} data-level=${mark.length}>
      ${inline(text, guild)}
    </p>`;
  }
  if (kind === "subtext") return html`<p class="subtext">${inline(text, guild)}</p>`;
  if (kind === "quote" && place.depth < MAX_DEPTH) {
    return html`<blockquote>${lines(joined, {...place, depth: place.depth + 1})}</blockquote>`;
  }
  if (kind === "item") return listOf(group, guild, 0);
  return html`<p>${inline(joined, guild)}</p>`;
}

/** @param {string} mark */
const indentOf = (mark) => mark.length - mark.trimStart().length;

/**
 * Render items; those that are indented further belong to the item above.
 * @param {{mark: string, text: string}[]} items @param {string | undefined} guild @param {number} depth
 * @returns {any}
 */
function listOf(items, guild, depth) {
  const [first] = items;
  const indent = indentOf(first.mark);
  /** @type {{text: string, inner: {mark: string, text: string}[]}[]} */
  const tops = [];
  for (const [at, item] of items.entries()) {
    const last = tops.at(-1);
    if (last !== undefined && indentOf(item.mark) > indent && depth < MAX_DEPTH) last.inner.push(item);
    else if (isNumbered(item) === isNumbered(first)) tops.push({text: item.text, inner: []});
    else return [rendered(tops, first, guild, depth), listOf(items.slice(at), guild, depth)];
  }
  return rendered(tops, first, guild, depth);
}

/** @param {{mark: string}} item */
const isNumbered = ({mark}) => /\d/.test(mark);

/**
 * @param {{text: string, inner: {mark: string, text: string}[]}[]} tops @param {{mark: string}} first
 * @param {string | undefined} guild @param {number} depth
 */
function rendered(tops, first, guild, depth) {
  const nodes = tops.map(
    (each) => html`<li>
      ${inline(each.text, guild)}${each.inner.length > 0 && listOf(each.inner, guild, depth + 1)}
    </li>`,
  );
  const start = Number.parseInt(first.mark, 10);
  return Number.isNaN(start)
    ? html`<ul class="list">${nodes}</ul>`
    : html`<ol class="list" start=${start}>${nodes}</ol>`;
}

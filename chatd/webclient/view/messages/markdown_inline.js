/** Discord's Markdown within a line: marks, links, mentions, times. */

import {html} from "../html.js";
import {follow} from "../route.js";
import {ChannelMention, RoleMention, UserMention} from "./mentions.js";
import {Spoiler} from "./spoiler.js";
import {Timestamp} from "./timestamp.js";

/** Marks nest at most this deep. */
const MAX_DEPTH = 8;

/**
 * An address within a text: it ends before the punctuation of languages without spaces, and before
 * characters that would show it in another order.
 */
const ADDRESS = /https?:\/\/[^\s<>。，、；：！？）」』】》\u200b-\u200f\u202a-\u202e\u2066-\u2069]+/iy;
/** Punctuation that ends a sentence, or a mark, and not the address before it. */
const STOPS = ".,:;!?'\"*_~|`";
/** The host that a text names, which looks like an address. */
const HOST = /^(?:https?:\/\/)?([\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+)(?::\d+)?(?:[/?#].*)?$/iu;

/**
 * @typedef {(match: RegExpExecArray, within: (text: string, isInLink?: boolean) => any, guild?: string) => any} Render
 * @typedef {[pattern: RegExp, render: Render, isLink?: boolean]} Rule
 */

/** By the first character. The first rule that matches is applied. @type {Record<string, Rule[]>} */
const RULES = {
  "`": [[/`` ?([^\n]+?) ?``(?!`)|`([^`\n]+)`/y, (m) => html`<code>${m[1] ?? m[2]}</code>`]],
  "\\": [[/\\([!-/:-@[-`{-~])/y, (m) => m[1]]],
  "<": [
    [/<(https?:\/\/[^\s<>]+)>/iy, (m) => link(m[1], m[1]), true],
    [/<@!?(\d{1,20})>/y, (m, _, guild) => html`<${UserMention} id=${m[1]} guild=${guild} />`],
    [/<@&(\d{1,20})>/y, (m) => html`<${RoleMention} id=${m[1]} />`],
    [/<#(\d{1,20})>/y, (m) => html`<${ChannelMention} id=${m[1]} />`, true],
    [/<a?:(\w{2,32}):\d{1,20}>/y, (m) => html`<span class="custom-emoji">:${m[1]}:</span>`],
    [/<t:(-?\d{1,13})(?::([tTdDfFR]))?>/y, (m) => html`<${Timestamp} seconds=${Number(m[1])} form=${m[2] ?? "f"} />`],
  ],
  "[": [
    [
      /\[([^\]\n]+)\]\(<?(https?:\/\/(?:[^\s()<>]|\([^\s()<>]*\))+)>?\)/iy,
      (m, within) => link(m[2], within(m[1], true), m[1].replace(/[*_~|`\\]/g, "")),
      true,
    ],
  ],
  h: [[ADDRESS, (m) => link(m[0], m[0]), true]],
  H: [[ADDRESS, (m) => link(m[0], m[0]), true]],
  "@": [[/@(?:everyone|here)\b/y, (m) => html`<span class="mention">${m[0]}</span>`]],
  "|": [[/\|\|([^]+?)\|\|/y, (m, within) => html`<${Spoiler}>${within(m[1])}<//>`]],
  "*": [
    [/\*\*([^]+?)\*\*(?!\*)/y, (m, within) => html`<strong>${within(m[1])}</strong>`],
    [/\*(?=\S)([^]*?[^\s*])\*(?!\*)/y, (m, within) => html`<em>${within(m[1])}</em>`],
  ],
  _: [
    [/__([^]+?)__(?!_)/y, (m, within) => html`<u>${within(m[1])}</u>`],
    [/_(?=\S)([^_]+?)_(?![_\p{L}\p{N}])/uy, (m, within) => html`<em>${within(m[1])}</em>`],
  ],
  "~": [[/~~([^]+?)~~/y, (m, within) => html`<s>${within(m[1])}</s>`]],
};
const STARTS = /[`\\<[hH@|*_~]/g;

/**
 * @param {string} text
 * @param {string} [guild]
 * @param {number} [depth]
 * @param {boolean} [isInLink] A link cannot contain another one.
 * @returns {any[]}
 */
export function inline(text, guild, depth = 0, isInLink = false) {
  if (depth > MAX_DEPTH) return [text];
  const within = (/** @type {string} */ inner, isLink = isInLink) => inline(inner, guild, depth + 1, isLink);
  const nodes = [];
  let plain = 0; // where the text begins that no rule has taken
  let at = 0;
  while (at < text.length) {
    STARTS.lastIndex = at;
    const start = STARTS.exec(text);
    if (start === null) break;
    at = start.index;
    const found = matchAt(text, at, start[0], isInLink);
    if (found === null) {
      at += 1;
      continue;
    }
    const [match, render] = found;
    if (plain < at) nodes.push(text.slice(plain, at));
    at += match[0].length; // before the rule renders what is within: it uses the same patterns
    nodes.push(render(match, within, guild));
    plain = at;
  }
  if (plain < text.length) nodes.push(text.slice(plain));
  return nodes;
}

/**
 * @param {string} text @param {number} at @param {string} start @param {boolean} isInLink
 * @returns {[RegExpExecArray, Render] | null}
 */
function matchAt(text, at, start, isInLink) {
  // A mark within a word is none: snake_case, and addresses that do not begin a word.
  const before = text[at - 1] ?? "";
  if (start === "_" && /[\p{L}\p{N}]/u.test(before)) return null;
  if (/h/i.test(start) && /[\p{Script=Latin}\p{N}]/u.test(before)) return null;
  for (const [pattern, render, isLink] of RULES[start]) {
    if (isLink && isInLink) continue;
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) continue;
    if (pattern === ADDRESS) match[0] = withoutStops(match[0]);
    return [match, render];
  }
  return null;
}

/**
 * Return an address without the punctuation that follows it. A bracket belongs to it if it was opened there.
 * @param {string} address
 */
function withoutStops(address) {
  const count = (/** @type {string} */ bracket) => address.split(bracket).length - 1;
  const surplus = {")": count(")") - count("("), "]": count("]") - count("[")};
  let end = address.length;
  for (; end > 0; end--) {
    const last = address[end - 1];
    if (STOPS.includes(last)) continue;
    if ((last !== ")" && last !== "]") || surplus[last] <= 0) break;
    surplus[last] -= 1;
  }
  return address.slice(0, end);
}

/**
 * Return whether a text could make a reader believe that a link leads elsewhere: it names another host, or
 * one in letters that look like others.
 * @param {URL} url @param {string} text
 */
function isMisleading(url, text) {
  if (url.username !== "" || url.password !== "") return true;
  const named = HOST.exec(text)?.[1];
  if (named === undefined) return false;
  const plain = (/** @type {string} */ host) => host.replace(/^www\./, "");
  const known = URL.canParse(`https://${named}`) ? new URL(`https://${named}`).hostname : named;
  return plain(known) !== plain(url.hostname) || /[^\p{Script=Latin}\p{N}.-]/u.test(named);
}

/** @param {string} address @param {any} text @param {string} [claim] the text as a reader sees it */
export function link(address, text, claim = typeof text === "string" ? text : "") {
  let url;
  try {
    url = new URL(address);
  } catch {
    return text; // such as https://[
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") return text;
  if (url.origin === location.origin && url.pathname.startsWith("/app/")) {
    return html`<a href=${url.href} onClick=${follow}>${text}</a>`;
  }
  const shown = isMisleading(url, claim) ? html`${text} (${url.hostname})` : text;
  return html`<a href=${url.href} title=${url.href} target="_blank" rel="noopener noreferrer nofollow">${shown}</a>`;
}

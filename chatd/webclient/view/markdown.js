/**
 * Discord's Markdown as nodes. Text of users never becomes HTML: it ends in text nodes and in a few
 * elements, and only http and https addresses become links.
 */

import {nameOf} from "../state/select.js";
import {state} from "../state/store.js";
import {html} from "./html.js";
import {follow, pathOf} from "./route.js";

/** Marks nest at most this deep. */
const MAX_DEPTH = 8;

/** @typedef {(match: RegExpExecArray, within: (text: string) => any) => any} Render */

/** @type {[RegExp, Render][]} The first rule that matches at the earliest place is applied. */
const INLINE = [
  [/`` ?([^\n]+?) ?``|`([^`\n]+)`/y, (m) => html`<code>${m[1] ?? m[2]}</code>`],
  [/\\([\\`*_~|<>:#[\]()-])/y, (m) => m[1]],
  [/<(https?:\/\/[^\s<>]+)>/y, (m) => link(m[1], m[1])],
  [/\[([^\]\n]+)\]\((https?:\/\/[^\s()<>]+)\)/y, (m, within) => link(m[2], within(m[1]))],
  [/https?:\/\/[^\s<>]*[^\s<>.,:;!?'")\]]/y, (m) => link(m[0], m[0])],
  [/<@!?(\d{1,20})>/y, (m) => html`<span class="mention">@${userName(m[1])}</span>`],
  [/<@&(\d{1,20})>/y, (m) => html`<span class="mention">@${roleName(m[1])}</span>`],
  [/<#(\d{1,20})>/y, (m) => channelLink(m[1])],
  [/@(?:everyone|here)\b/y, (m) => html`<span class="mention">${m[0]}</span>`],
  [/<t:(-?\d{1,11})(?::[tTdDfFR])?>/y, (m) => time(Number(m[1]))],
  [/\|\|([^]+?)\|\|/y, (m, within) => html`<${Spoiler}>${within(m[1])}<//>`],
  [/\*\*([^]+?)\*\*(?!\*)/y, (m, within) => html`<strong>${within(m[1])}</strong>`],
  [/__([^]+?)__(?!_)/y, (m, within) => html`<u>${within(m[1])}</u>`],
  [/~~([^]+?)~~/y, (m, within) => html`<s>${within(m[1])}</s>`],
  [/\*(?=\S)([^*]+?)\*(?!\*)/y, (m, within) => html`<em>${within(m[1])}</em>`],
  [/_(?=\S)([^_]+?)_(?![_\p{L}\p{N}])/uy, (m, within) => html`<em>${within(m[1])}</em>`],
];
/** Characters with which a rule can begin: other text is skipped quickly. */
const STARTS = /[`\\<[h@|*_~]/g;

/** @param {{text: string}} properties */
export const Markdown = ({text}) => blocks(text);

/** @param {string} text */
function blocks(text) {
  const nodes = [];
  const fence = /```(?:([\w+-]{1,20})\n)?\n?([^]+?)\n?```/g;
  let from = 0;
  for (const match of text.matchAll(fence)) {
    nodes.push(lines(text.slice(from, match.index)));
    nodes.push(html`<pre data-language=${match[1]}><code>${match[2]}</code></pre>`);
    from = match.index + match[0].length;
  }
  nodes.push(lines(text.slice(from)));
  return nodes;
}

/** Render lines: headings, quotes, list items and text. @param {string} text */
function lines(text) {
  if (text === "") return null;
  /** @type {any[]} */
  const nodes = [];
  /** @type {string[]} */
  let plain = [];
  const flush = () => {
    if (plain.length > 0) nodes.push(html`<p>${inline(plain.join("\n"), 0)}</p>`);
    plain = [];
  };
  for (const line of text.split("\n")) {
    const heading = /^(#{1,3}) +(.+)$/.exec(line);
    const quote = /^> (.*)$/.exec(line);
    const item = /^( *)[-*] +(.+)$/.exec(line);
    if (heading === null && quote === null && item === null) {
      plain.push(line);
      continue;
    }
    flush();
    if (heading) nodes.push(html`<p class="heading" data-level=${heading[1].length}>${inline(heading[2], 0)}</p>`);
    else if (quote) nodes.push(html`<blockquote>${inline(quote[1], 0)}</blockquote>`);
    else if (item) nodes.push(html`<p class="item" data-nested=${item[1] !== ""}>${inline(item[2], 0)}</p>`);
  }
  flush();
  return nodes;
}

/** @param {string} text @param {number} depth @returns {any[]} */
function inline(text, depth) {
  if (depth > MAX_DEPTH) return [text];
  const nodes = [];
  let plain = 0; // where the text begins that no rule has taken
  let at = 0;
  while (at < text.length) {
    STARTS.lastIndex = at;
    const start = STARTS.exec(text);
    if (start === null) break;
    at = start.index;
    const found = matchAt(text, at);
    if (found === null) {
      at += 1;
      continue;
    }
    const [match, render] = found;
    if (plain < at) nodes.push(text.slice(plain, at));
    nodes.push(render(match, (inner) => inline(inner, depth + 1)));
    at += match[0].length;
    plain = at;
  }
  if (plain < text.length) nodes.push(text.slice(plain));
  return nodes;
}

/** @param {string} text @param {number} at @returns {[RegExpExecArray, Render] | null} */
function matchAt(text, at) {
  for (const [pattern, render] of INLINE) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match !== null) return [match, render];
  }
  return null;
}

/** @param {string} address @param {any} text */
const link = (address, text) =>
  html`<a href=${address} target="_blank" rel="noopener noreferrer nofollow">${text}</a>`;

/** @param {{children?: any}} properties */
function Spoiler({children}) {
  const show = (/** @type {Event} */ event) =>
    /** @type {HTMLElement} */ (event.currentTarget).setAttribute("aria-expanded", "true");
  return html`<button type="button" class="spoiler" aria-expanded="false" onClick=${show}>
    <span>${children}</span>
  </button>`;
}

/** @param {string} id */
function userName(id) {
  const present = state.value;
  if (present.me?.id === id) return nameOf(present, present.me);
  for (const guild of Object.values(present.guilds)) {
    const member = guild.members[id];
    if (member) return member.nick || nameOf(present, member.user);
  }
  for (const channel of Object.values(present.privates)) {
    const user = channel.recipients?.find((/** @type {any} */ each) => each.id === id);
    if (user) return nameOf(present, user);
  }
  return id;
}

/** @param {string} id */
function roleName(id) {
  const guild = Object.values(state.value.guilds).find((each) => id in each.roles);
  return guild?.roles[id].name ?? id;
}

/** @param {string} id */
function channelLink(id) {
  const guild = Object.values(state.value.guilds).find((each) => id in each.channels);
  if (guild === undefined) return html`<span class="mention">#${id}</span>`;
  return html`<a class="mention" href=${pathOf(guild.id, id)} onClick=${follow}>
    #${guild.channels[id].name}
  </a>`;
}

/** @param {number} seconds */
function time(seconds) {
  const moment = new Date(seconds * 1000);
  if (Number.isNaN(moment.getTime())) return String(seconds);
  const text = moment.toLocaleString(document.documentElement.lang, {
    dateStyle: "long",
    timeStyle: "short",
  });
  return html`<time datetime=${moment.toISOString()}>${text}</time>`;
}

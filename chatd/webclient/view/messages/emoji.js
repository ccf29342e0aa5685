/** The emoji: their short names, and names to search in the page's language. Loaded when needed. */

import {language} from "../../lang/translate.js";

/**
 * @typedef {object} Emoji
 * @property {string} group
 * @property {string} text The emoji itself.
 * @property {string[]} codes Short names, as between colons.
 * @property {string} label
 * @property {string} words All names, to search in.
 */

/** @type {Map<string, Promise<Emoji[]>>} */
const loaded = new Map();
/** @type {Emoji[]} */
let present = [];

/** @returns {Promise<Emoji[]>} */
export function emoji() {
  const name = language() === "de" ? "de" : "en";
  let promise = loaded.get(name);
  if (promise === undefined) {
    promise = load(name);
    loaded.set(name, promise);
    promise.catch(() => loaded.delete(name)); // the next use tries again
  }
  return promise;
}

/** @param {"de" | "en"} name */
async function load(name) {
  const [{default: list}, {default: names}] = await Promise.all([
    import("../../vendor/emoji/list.js"),
    name === "de" ? import("../../vendor/emoji/names_de.js") : import("../../vendor/emoji/names_en.js"),
  ]);
  present = list.map((/** @type {string} */ line, /** @type {number} */ at) => {
    const [group, text, ...codes] = line.split(" ");
    const [label, tags] = names[at].split("|");
    return {group, text, codes, label, words: `${codes.join(" ")} ${label} ${tags}`.toLowerCase()};
  });
  return present;
}

/** Return the emoji with a text as a name, then those whose names begin with it, then contain it. @param {Emoji[]} all @param {string} text @param {number} most */
export function emojiLike(all, text, most) {
  const wanted = text.toLowerCase();
  const exact = all.filter((each) => each.codes.includes(wanted));
  const first = all.filter((each) => each.codes.some((code) => code.startsWith(wanted)));
  const others = all.filter((each) => each.words.includes(wanted));
  return [...new Set([...exact, ...first, ...others])].slice(0, most);
}

/** Return the emoji with a short name, if the emoji are loaded. @param {string} code */
export const emojiOf = (code) => present.find((each) => each.codes.includes(code))?.text;

const KEY = "chatd.emoji";
const MAX_RECENT = 24;

/** Emoji that were used lately. @returns {string[]} */
export function recent() {
  try {
    const stored = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(stored) ? stored.filter((each) => typeof each === "string") : [];
  } catch {
    return [];
  }
}

/** @param {string} text */
export function used(text) {
  try {
    const kept = [text, ...recent().filter((each) => each !== text)].slice(0, MAX_RECENT);
    localStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    // It is a convenience only.
  }
}

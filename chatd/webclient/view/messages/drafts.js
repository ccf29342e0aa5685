/**
 * What the user has written and not yet sent, by channel. Texts survive a reload, if the browser has
 * room for them and lets the page use it; files survive until then.
 */

import {state} from "../../state/store.js";

/**
 * @typedef {object} Draft
 * @property {string} text
 * @property {Record<string, string>} mentions What the names in the text stand for.
 * @property {DraftFile[]} files
 *
 * @typedef {{id: number, file: File, isSpoiler: boolean, description: string, preview: string}} DraftFile
 */

/** @type {Map<string, Draft>} */
const drafts = new Map();

/** @param {string} channel @returns {Draft} */
export function draftOf(channel) {
  const known = drafts.get(keyOf(channel));
  if (known !== undefined) return known;
  return {...stored(keyOf(channel)), files: []};
}

/** @param {string} channel @param {Draft} draft */
export function keep(channel, draft) {
  const key = keyOf(channel);
  drafts.set(key, draft);
  const {text, mentions} = draft;
  try {
    if (text === "") localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify({text, mentions}));
  } catch {
    // The draft lasts as long as this page.
  }
}

/** Accounts that share a browser do not share drafts. @param {string} channel */
const keyOf = (channel) => `chatd.draft.${state.peek().me?.id}.${channel}`;

/** @param {string} key @returns {{text: string, mentions: Record<string, string>}} */
function stored(key) {
  try {
    const {text, mentions} = JSON.parse(localStorage.getItem(key) ?? "{}");
    return {text: String(text ?? ""), mentions: {...mentions}};
  } catch {
    return {text: "", mentions: {}};
  }
}

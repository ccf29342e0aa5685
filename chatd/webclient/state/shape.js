/** An empty state, and comparing ids. Its types are in types.js. */

/** @typedef {import("./types.js").Json} Json */
/** @typedef {import("./types.js").Guild} Guild */
/** @typedef {import("./types.js").Timeline} Timeline */
/** @typedef {import("./types.js").Pending} Pending */
/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").MemberList} MemberList */
/** @typedef {import("./types.js").Action} Action */

/** @type {State} */
export const EMPTY = Object.freeze({
  me: null,
  guilds: {},
  privates: {},
  relationships: {},
  presences: {},
  reads: {},
  newest: {},
  timelines: {},
  typing: {},
  lists: {},
  notices: {},
});

/** @type {Timeline} */
export const NO_TIMELINE = Object.freeze({
  messages: [],
  atStart: false,
  atEnd: false,
  removed: [],
  pending: [],
});

/**
 * Compare two ids by their age. They are numbers of up to 20 digits, too large for Number.
 * @param {string} a
 * @param {string} b
 */
export const compareIds = (a, b) => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);

/**
 * Return an object without a key.
 * @template T
 * @param {Record<string, T>} object
 * @param {string} key
 * @returns {Record<string, T>}
 */
export function without(object, key) {
  if (!(key in object)) return object;
  const {[key]: _, ...others} = object;
  return others;
}

/**
 * Return an object of values by their ids.
 * @template {Json} T
 * @param {T[]} values
 * @returns {Record<string, T>}
 */
export const byId = (values) => Object.fromEntries(values.map((each) => [each.id, each]));

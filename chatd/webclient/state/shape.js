/**
 * The shape of the state. Reducers never change a part of it: they make a new one, and keep the
 * others as they are.
 *
 * @typedef {Record<string, any>} Json What the server sends, as Discord documents it.
 *
 * @typedef {object} Guild
 * @property {string} id
 * @property {string} name
 * @property {string | null} icon
 * @property {string} owner_id
 * @property {Record<string, Json>} channels Those that the user may see.
 * @property {Record<string, Json>} roles
 * @property {Record<string, Json>} members Those that the page has met: not all of them.
 * @property {number} member_count
 *
 * @typedef {object} Timeline The messages of a channel that the page has.
 * @property {Json[]} messages In the order of their ids, without gaps.
 * @property {boolean} atStart There are no earlier messages.
 * @property {boolean} atEnd There are no later messages: new ones are appended.
 * @property {Pending[]} pending Messages that are not yet sent, in their order.
 *
 * @typedef {object} Pending
 * @property {string} nonce
 * @property {string} content
 * @property {Json | null} reply The message that it replies to.
 * @property {"sending" | "failed"} status
 * @property {string} reason Why it failed.
 * @property {number} progress The part of its files that is sent, from 0 to 1.
 * @property {File[]} files
 *
 * @typedef {object} State
 * @property {Json | null} me
 * @property {Record<string, Guild>} guilds
 * @property {Record<string, Json>} privates Direct messages and groups.
 * @property {Record<string, Json>} relationships
 * @property {Record<string, string>} presences The status of users that are not offline.
 * @property {Record<string, {read: string, mentions: number}>} reads By channel.
 * @property {Record<string, string>} newest The newest message of each channel.
 * @property {Record<string, Timeline>} timelines
 * @property {Record<string, Record<string, number>>} typing By channel and user: until when.
 * @property {Record<string, MemberList>} lists By guild.
 *
 * @typedef {object} MemberList
 * @property {Json[]} groups
 * @property {(Json | undefined)[]} items
 * @property {number} online
 *
 * @typedef {{type: string, data: any}} Action An event of the gateway, or one of the page.
 */

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
});

/** @type {Timeline} */
export const NO_TIMELINE = Object.freeze({messages: [], atStart: false, atEnd: false, pending: []});

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
 * @param {Json[]} values
 * @returns {Record<string, Json>}
 */
export const byId = (values) => Object.fromEntries(values.map((each) => [each.id, each]));

/** Questions to the state that several views ask. */

import {compareIds} from "./shape.js";
import {ADMINISTRATOR, permissionsOf} from "./permissions.js";

/** @typedef {import("./shape.js").State} State */

/** Types of channels that have messages. Rule: Discord docs, Channel Types. */
const WITH_MESSAGES = new Set([0, 1, 3, 5]);
const CATEGORY = 4;

/** @param {State} state @param {string} id @returns {any} */
export function channelOf(state, id) {
  if (id in state.privates) return state.privates[id];
  return Object.values(state.guilds).find((each) => id in each.channels)?.channels[id];
}

/** @param {State} state @param {string} id */
export const guildOfChannel = (state, id) =>
  Object.values(state.guilds).find((each) => id in each.channels);

/**
 * Return whether the user has a permission in a channel. In private channels only what everybody
 * may do there.
 * @param {State} state @param {string} id @param {bigint} permission @param {boolean} isCommon
 */
export function may(state, id, permission, isCommon = true) {
  const guild = guildOfChannel(state, id);
  if (guild === undefined) return isCommon;
  const granted = permissionsOf(guild, state.me?.id, guild.channels[id]);
  return (granted & (permission | ADMINISTRATOR)) !== 0n;
}

/** The channels of a guild in their order: `[category or null, channels]`, those without first. */
export function sections(/** @type {import("./shape.js").Guild} */ guild) {
  const order = (/** @type {any} */ a, /** @type {any} */ b) =>
    a.position - b.position || compareIds(a.id, b.id);
  const channels = Object.values(guild.channels);
  const shown = channels.filter((each) => WITH_MESSAGES.has(each.type)).sort(order);
  const categories = channels.filter((each) => each.type === CATEGORY).sort(order);
  const known = new Set(categories.map((each) => each.id));
  const within = (/** @type {string | null} */ id) =>
    shown.filter((each) => (known.has(each.parent_id) ? each.parent_id : null) === id);
  return [null, ...categories].map((each) => ({category: each, channels: within(each?.id ?? null)}));
}

/** Private channels, those with the newest messages first. @param {State} state */
export const privates = (state) =>
  Object.values(state.privates).sort((a, b) =>
    compareIds(state.newest[b.id] ?? b.id, state.newest[a.id] ?? a.id),
  );

/** @param {State} state @param {string} id */
export function unread(state, id) {
  const newest = state.newest[id];
  const read = state.reads[id];
  const mentions = read?.mentions ?? 0;
  const isUnread = newest !== undefined && read !== undefined && compareIds(newest, read.read) > 0;
  return {isUnread: isUnread || mentions > 0, mentions};
}

/** The name that a user has, in a guild or anywhere. @param {State} state @param {any} user */
export function nameOf(state, user, /** @type {string | undefined} */ guildId = undefined) {
  const nick = guildId && state.guilds[guildId]?.members[user.id]?.nick;
  return nick || user.global_name || user.username;
}

/** @param {State} state @param {any} channel @returns {string} */
export function titleOf(state, channel) {
  if (channel.name) return channel.name;
  return (channel.recipients ?? [])
    .map((/** @type {any} */ each) => nameOf(state, each))
    .join(", ");
}

/** Questions to the state that several views ask. */

import {now} from "./clock.js";
import {compareIds} from "./shape.js";
import {ADMINISTRATOR, permissionsOf} from "./permissions.js";

/** @typedef {import("./shape.js").State} State */

/** The first millisecond of ids. Rule: Discord docs, Snowflakes. */
const EPOCH_MS = 1_420_070_400_000;
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
  const mentions = state.reads[id]?.mentions ?? 0;
  const isUnread = newest !== undefined && compareIds(newest, readUpTo(state, id) ?? newest) > 0;
  return {isUnread: isUnread || mentions > 0, mentions};
}

/** The mentions of all channels that the user sees. @param {State} state */
export function mentionsIn(state) {
  const known = [...Object.values(state.guilds).map((each) => each.channels), state.privates];
  return known.flatMap(Object.keys).reduce((sum, id) => sum + unread(state, id).mentions, 0);
}

/**
 * Return the id up to which a channel is read; undefined if that is not known. What was written before
 * the user joined a guild counts as read.
 * @param {State} state @param {string} id
 * @returns {string | undefined}
 */
export function readUpTo(state, id) {
  const read = state.reads[id]?.read;
  const joined = guildOfChannel(state, id)?.members[state.me?.id]?.joined_at;
  if (!joined) return read;
  const since = String(BigInt(Math.max(0, Date.parse(joined) - EPOCH_MS)) << 22n);
  return read !== undefined && compareIds(read, since) > 0 ? read : since;
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

/**
 * Return whether the user has muted a guild, or a channel by itself or by its category.
 * @param {State} state @param {string} guildId "@me" for private channels
 * @param {string} [channelId]
 */
export function isMuted(state, guildId, channelId) {
  const settings = state.notices[guildId];
  if (settings === undefined) return false;
  if (channelId === undefined) return mutes(settings);
  const category = state.guilds[guildId]?.channels[channelId]?.parent_id;
  return (settings.channel_overrides ?? []).some(
    (/** @type {any} */ each) =>
      (each.channel_id === channelId || each.channel_id === category) && mutes(each),
  );
}

/** @param {any} settings */
const mutes = ({muted, mute_config: config}) =>
  Boolean(muted) && !(config?.end_time && Date.parse(config.end_time) <= now());

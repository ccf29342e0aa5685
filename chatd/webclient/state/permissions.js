/**
 * What a member may do, and why. Rule: Discord docs, Permissions, "Permission Hierarchy" and
 * "Permission Overwrites". `chatd/core/permissions.py` computes the same on the server.
 */

import {now} from "./clock.js";
import {compareIds} from "./shape.js";

export const CREATE_INVITE = 1n;
export const KICK_MEMBERS = 1n << 1n;
export const BAN_MEMBERS = 1n << 2n;
export const ADMINISTRATOR = 1n << 3n;
export const MANAGE_CHANNELS = 1n << 4n;
export const MANAGE_GUILD = 1n << 5n;
export const ADD_REACTIONS = 1n << 6n;
export const VIEW_AUDIT_LOG = 1n << 7n;
export const VIEW_CHANNEL = 1n << 10n;
export const SEND_MESSAGES = 1n << 11n;
const SEND_TTS_MESSAGES = 1n << 12n;
export const MANAGE_MESSAGES = 1n << 13n;
const EMBED_LINKS = 1n << 14n;
export const ATTACH_FILES = 1n << 15n;
export const READ_MESSAGE_HISTORY = 1n << 16n;
export const MENTION_EVERYONE = 1n << 17n;
export const CHANGE_NICKNAME = 1n << 26n;
export const MANAGE_NICKNAMES = 1n << 27n;
export const MANAGE_ROLES = 1n << 28n;
export const MANAGE_WEBHOOKS = 1n << 29n;
export const MODERATE_MEMBERS = 1n << 40n;
export const PIN_MESSAGES = 1n << 51n;
export const BYPASS_SLOWMODE = 1n << 52n;
/** All permissions: bits 0 to 52, but for 47, which has no meaning. */
export const ALL = ((1n << 53n) - 1n) & ~(1n << 47n);

/** Permissions that have no effect without SEND_MESSAGES. */
const NEEDS_SEND_MESSAGES = MENTION_EVERYONE | SEND_TTS_MESSAGES | ATTACH_FILES | EMBED_LINKS;
/** The permissions that a timed-out member can keep. */
const TIMED_OUT = VIEW_CHANNEL | READ_MESSAGE_HISTORY;

/**
 * @typedef {import("./shape.js").Guild} Guild
 *
 * @typedef {object} Subject A member, or a role as if a member had it alone.
 * @property {string | null} userId
 * @property {string[]} roles
 * @property {boolean} isTimedOut
 *
 * @typedef {"owner" | "role" | "administrator" | "overwrite-everyone" | "overwrite-role"
 *   | "overwrite-member" | "hidden" | "silent" | "overwrite-none" | "timeout"} Source
 *
 * @typedef {object} Step What one rule allows and denies; later steps take precedence.
 * @property {Source} source
 * @property {string} id The role or user of the rule, or "".
 * @property {bigint} allow
 * @property {bigint} deny
 */

/** Return a user as a subject. @param {Guild} guild @param {string} userId @returns {Subject} */
export function subjectOf(guild, userId) {
  const member = guild.members[userId];
  const until = member?.communication_disabled_until;
  const isTimedOut = Boolean(until) && Date.parse(until) > now();
  return {userId, roles: member?.roles ?? [], isTimedOut};
}

/**
 * Return what each rule says about a subject in a guild, or in one of its channels.
 * @param {Guild} guild
 * @param {Subject} subject
 * @param {any} [channel]
 * @returns {{granted: bigint, steps: Step[]}}
 */
export function explain(guild, subject, channel) {
  /** @type {Step[]} */
  const steps = [];
  let granted = 0n;
  const apply = (/** @type {Source} */ source, /** @type {string} */ id, allow = 0n, deny = 0n) => {
    steps.push({source, id, allow, deny});
    granted = (granted & ~deny) | allow;
  };
  if (guild.owner_id === subject.userId) {
    apply("owner", "", ALL);
    return {granted, steps};
  }
  for (const id of [guild.id, ...subject.roles]) {
    const permissions = BigInt(guild.roles[id]?.permissions ?? 0);
    if (permissions & ADMINISTRATOR) {
      apply("administrator", id, ALL);
      return {granted: ALL, steps};
    }
    apply("role", id, permissions);
  }
  if (channel !== undefined) inChannel(guild, subject, channel, apply, () => granted);
  if (subject.isTimedOut) apply("timeout", "", 0n, granted & ~TIMED_OUT);
  return {granted, steps};
}

/**
 * Apply the overwrites of a channel: that of @everyone, then all denials and then all grants of
 * roles, then the member's own.
 * @param {Guild} guild
 * @param {Subject} subject
 * @param {any} channel
 * @param {(source: Source, id: string, allow?: bigint, deny?: bigint) => void} apply
 * @param {() => bigint} granted
 */
function inChannel(guild, subject, channel, apply, granted) {
  /** @type {any[]} */
  const overwrites = channel.permission_overwrites ?? [];
  const ofRoles = overwrites.filter((each) => each.type !== 1 && subject.roles.includes(each.id));
  const everyone = overwrites.find((each) => each.type !== 1 && each.id === guild.id);
  const own = overwrites.find((each) => each.type === 1 && each.id === subject.userId);
  if (everyone) apply("overwrite-everyone", guild.id, BigInt(everyone.allow), BigInt(everyone.deny));
  for (const each of ofRoles) apply("overwrite-role", each.id, 0n, BigInt(each.deny));
  for (const each of ofRoles) apply("overwrite-role", each.id, BigInt(each.allow));
  if (own) apply("overwrite-member", own.id, BigInt(own.allow), BigInt(own.deny));
  if (!(granted() & VIEW_CHANNEL)) {
    apply("hidden", "", 0n, granted());
    return;
  }
  if (!(granted() & SEND_MESSAGES)) apply("silent", "", 0n, NEEDS_SEND_MESSAGES & granted());
  // An overwrite cannot make an administrator: such a member could not be timed out.
  apply("overwrite-none", "", 0n, granted() & ~(ALL & ~ADMINISTRATOR));
}

/**
 * Return the rule that decides about a permission; undefined if no rule grants it.
 * @param {Step[]} steps
 * @param {bigint} permission
 */
export const decisive = (steps, permission) =>
  steps.findLast((each) => ((each.allow | each.deny) & permission) !== 0n);

/**
 * Return the user's permissions in a guild, or in one of its channels.
 * @param {Guild} guild
 * @param {string} userId
 * @param {any} [channel]
 */
export const permissionsOf = (guild, userId, channel) =>
  explain(guild, subjectOf(guild, userId), channel).granted;

/** The order of roles: the highest first; of two at one position the older one. */
export const byRank = (/** @type {any} */ a, /** @type {any} */ b) =>
  b.position - a.position || compareIds(a.id, b.id);

/**
 * Return whether a member is above another member. @param {Guild} guild @param {string} userId
 * @param {string} otherId @param {string[]} [otherRoles] needed for a member that the page has not met
 */
export function isAboveMember(guild, userId, otherId, otherRoles) {
  if (guild.owner_id === otherId || userId === otherId) return false;
  const roles = otherRoles ?? guild.members[otherId]?.roles ?? [];
  return isAboveRole(guild, userId, highest(guild, roles));
}

/** Return whether a member is above a role. @param {Guild} guild @param {string} userId @param {any} role */
export function isAboveRole(guild, userId, role) {
  if (guild.owner_id === userId) return true;
  return byRank(highest(guild, guild.members[userId]?.roles ?? []), role) < 0;
}

/** @param {Guild} guild @param {string[]} roles @returns {any} */
const highest = (guild, roles) =>
  [guild.id, ...roles]
    .map((id) => guild.roles[id])
    .filter(Boolean)
    .sort(byRank)[0] ?? {id: guild.id, position: 0};

/**
 * Return whether what all members may see does not include a channel.
 * @param {Guild} guild
 * @param {any} channel
 */
export function isPrivate(guild, channel) {
  const everyone = {userId: null, roles: [], isTimedOut: false};
  return (explain(guild, everyone, channel).granted & VIEW_CHANNEL) === 0n;
}

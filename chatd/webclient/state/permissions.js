/** What the user may do in a channel. Rule: Discord docs, Permissions, "Permission Overwrites". */

export const ADMINISTRATOR = 1n << 3n;
export const MANAGE_CHANNELS = 1n << 4n;
export const ADD_REACTIONS = 1n << 6n;
export const CREATE_INVITE = 1n;
export const SEND_MESSAGES = 1n << 11n;
export const MANAGE_MESSAGES = 1n << 13n;
export const ATTACH_FILES = 1n << 15n;
const ALL = (1n << 64n) - 1n;

/**
 * Return the user's permissions in a guild, or in one of its channels.
 * @param {import("./shape.js").Guild} guild
 * @param {string} userId
 * @param {any} [channel]
 */
export function permissionsOf(guild, userId, channel) {
  if (guild.owner_id === userId) return ALL;
  /** @type {string[]} */
  const roles = guild.members[userId]?.roles ?? [];
  let granted = BigInt(guild.roles[guild.id]?.permissions ?? 0);
  for (const id of roles) granted |= BigInt(guild.roles[id]?.permissions ?? 0);
  if (granted & ADMINISTRATOR) return ALL;
  /** @type {any[]} */
  const overwrites = channel?.permission_overwrites ?? [];
  const everyone = overwrites.find((each) => each.id === guild.id);
  const own = overwrites.find((each) => each.id === userId);
  const ofRoles = overwrites.filter((each) => roles.includes(each.id));
  const union = {
    allow: ofRoles.reduce((bits, each) => bits | BigInt(each.allow), 0n),
    deny: ofRoles.reduce((bits, each) => bits | BigInt(each.deny), 0n),
  };
  for (const each of [everyone, union, own]) {
    if (each) granted = (granted & ~BigInt(each.deny)) | BigInt(each.allow);
  }
  return granted;
}

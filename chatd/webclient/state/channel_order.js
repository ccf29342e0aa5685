/** The order of channels and roles, and the requests that change it. Pure. */

import {byRank} from "./permissions.js";
import {sections} from "./select.js";

const CATEGORY = 4;

/**
 * Return the moves that put a channel into a category, before the channel at an index there.
 * @param {import("./shape.js").Guild} guild
 * @param {string} id
 * @param {string | null} parent
 * @param {number} index
 */
export function movesTo(guild, id, parent, index) {
  const channel = guild.channels[id];
  const parts = sections(guild);
  const siblings =
    channel.type === CATEGORY
      ? parts.flatMap((each) => (each.category ? [each.category] : []))
      : (parts.find((each) => (each.category?.id ?? null) === parent)?.channels ?? []);
  const at = siblings.findIndex((each) => each.id === id);
  const others = siblings.filter((each) => each.id !== id);
  others.splice(at !== -1 && at < index ? index - 1 : index, 0, channel);
  const isElsewhere = channel.type !== CATEGORY && (channel.parent_id ?? null) !== parent;
  return renumbered(others, id, isElsewhere ? {parent_id: parent} : {});
}

/**
 * Return the moves after which channels have this order. Few of them get a new position: the user
 * may lack the right to move the others.
 * @param {any[]} channels
 * @param {string} id of the channel that moves
 * @param {any} change of that channel
 */
function renumbered(channels, id, change) {
  const moves = [];
  let last = -1;
  for (const each of channels) {
    const isMoved = each.id === id;
    const position = !isMoved && each.position > last ? each.position : last + 1;
    if (position !== each.position || (isMoved && "parent_id" in change)) {
      moves.push({id: each.id, position, ...(isMoved ? change : {})});
    }
    last = position;
  }
  return moves;
}

/**
 * Return the moves of one step up or down; at the end of a category into the next one. Null where
 * there is no such step.
 * @param {import("./shape.js").Guild} guild
 * @param {string} id
 * @param {-1 | 1} by
 */
export function stepMoves(guild, id, by) {
  const channel = guild.channels[id];
  const parts = sections(guild);
  if (channel.type === CATEGORY) {
    const categories = parts.flatMap((each) => (each.category ? [each.category] : []));
    const at = categories.findIndex((each) => each.id === id) + by;
    if (at < 0 || at >= categories.length) return null;
    return movesTo(guild, id, null, by > 0 ? at + 1 : at);
  }
  const part = parts.findIndex((each) => each.channels.some((every) => every.id === id));
  if (part === -1) return null;
  const at = parts[part].channels.findIndex((each) => each.id === id) + by;
  if (at >= 0 && at < parts[part].channels.length) {
    return movesTo(guild, id, parts[part].category?.id ?? null, by > 0 ? at + 1 : at);
  }
  const next = parts[part + by];
  if (next === undefined) return null;
  return movesTo(guild, id, next.category?.id ?? null, by > 0 ? 0 : next.channels.length);
}

/** The roles of a guild, the highest first, @everyone last. @param {import("./shape.js").Guild} guild */
export const sortedRoles = (guild) => Object.values(guild.roles).sort(byRank);

/**
 * Return the moves that put a role at an index, counted from the highest role.
 * @param {import("./shape.js").Guild} guild
 * @param {string} id
 * @param {number} index
 */
export function roleMovesTo(guild, id, index) {
  const roles = sortedRoles(guild).filter((each) => each.id !== guild.id);
  const at = roles.findIndex((each) => each.id === id);
  const order = roles.filter((each) => each.id !== id);
  order.splice(at < index ? index - 1 : index, 0, roles[at]);
  return order
    .map((each, place) => ({id: each.id, position: order.length - place, was: each.position}))
    .filter((each) => each.position !== each.was)
    .map(({id: role, position}) => ({id: role, position}));
}

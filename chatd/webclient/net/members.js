/** Finding users by their names: among those that the page has met, and by the server. */

import {state} from "../state/store.js";
import {rest} from "./session.js";

const MAX_FOUND = 20;

/** @type {Map<string, any[]>} What the server has found, by guild and text. */
const asked = new Map();
const MAX_ASKED = 200;

/**
 * Return users that can be mentioned in a channel and whose names begin with a text, or contain it.
 * @param {string} channel @param {string | undefined} guild @param {string} text
 * @returns {Promise<any[]>}
 */
export async function membersLike(channel, guild, text) {
  const known = knownLike(channel, guild, text);
  if (guild === undefined || text === "" || known.length >= MAX_FOUND) return known;
  const key = `${guild} ${text}`;
  let found = asked.get(key);
  if (found === undefined) {
    try {
      const members = await rest.get(`/guilds/${guild}/members/search`, {query: text, limit: MAX_FOUND});
      found = members.map((/** @type {any} */ each) => ({...each.user, nick: each.nick}));
    } catch {
      return known; // those that the page has met are offered anyway
    }
    if (asked.size > MAX_ASKED) asked.clear();
    asked.set(key, found ?? []);
  }
  const ids = new Set(known.map((each) => each.id));
  return [...known, ...(found ?? []).filter((each) => !ids.has(each.id))].slice(0, MAX_FOUND);
}

/** @param {string} channel @param {string | undefined} guild @param {string} text @returns {any[]} */
export function knownLike(channel, guild, text) {
  const present = state.peek();
  const authors = (present.timelines[channel]?.messages ?? []).filter((each) => !each.webhook_id).map((each) => each.author);
  const members = guild === undefined ? [] : Object.values(present.guilds[guild]?.members ?? {});
  const others = present.privates[channel]?.recipients ?? [];
  const users = [
    ...authors.reverse().filter((each) => guild === undefined || present.guilds[guild]?.members[each.id]),
    ...members.map((each) => ({...each.user, nick: each.nick})),
    ...others,
    ...(guild === undefined && present.me ? [present.me] : []),
  ];
  const wanted = text.toLowerCase();
  const unique = [...new Map(users.map((each) => [each.id, each])).values()];
  const ranked = unique.map((user) => ({user, rank: rankOf(user, wanted)}));
  return ranked
    .filter(({rank}) => rank < 2)
    .sort((a, b) => a.rank - b.rank)
    .slice(0, MAX_FOUND)
    .map(({user}) => user);
}

/** Return 0 if a name begins with a text, 1 if one contains it. @param {any} user @param {string} text */
function rankOf({username, global_name: display, nick}, text) {
  const names = [nick, display, username].filter(Boolean).map((each) => each.toLowerCase());
  if (names.some((each) => each.startsWith(text))) return 0;
  return names.some((each) => each.includes(text)) ? 1 : 2;
}

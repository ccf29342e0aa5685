/** Members whose names a user types. */

import {useEffect, useState} from "../../vendor/hooks.js";
import {membersLike} from "../../net/members.js";

/** The server is asked after this pause in typing, in milliseconds. */
const PAUSE_MS = 200;

/**
 * Return the users of a channel whose names begin with a text, as far as they are known by now.
 * @param {string} channel @param {string | undefined} guild
 * @param {string | null} text Null asks for nobody.
 * @returns {any[]}
 */
export function useMembers(channel, guild, text) {
  const [users, setUsers] = useState(/** @type {any[]} */ ([]));
  useEffect(() => {
    if (text === null) return undefined;
    let isWanted = true;
    const timer = setTimeout(async () => {
      const found = await membersLike(channel, guild, text);
      if (isWanted) setUsers(found);
    }, PAUSE_MS);
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [channel, guild, text]);
  return users;
}

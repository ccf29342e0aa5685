/** Events of channels: those of guilds, direct messages and groups; typing. */

import {withGuild} from "./reduce_guilds.js";
import {without} from "./shape.js";

/** @typedef {import("./shape.js").State} State */

/** A user types for this long after an event, in milliseconds. Rule: Discord docs, Typing Start. */
const TYPING_MS = 10_000;

/** A group, which its user can leave; a direct message is only closed. Rule: Discord docs, Channel Types. */
const GROUP = 3;

/** @type {Record<string, (state: State, data: any) => State>} */
export const CHANNELS = {
  CHANNEL_CREATE: put,
  CHANNEL_UPDATE: put,
  CHANNEL_DELETE: (state, data) => {
    const left = {...state, timelines: without(state.timelines, data.id)};
    if (!data.guild_id) {
      // Like the server, it forgets what was read in a group that the user has left.
      const reads = data.type === GROUP ? without(state.reads, data.id) : state.reads;
      return {...left, privates: without(state.privates, data.id), reads};
    }
    return withGuild(left, data.guild_id, (guild) => ({
      ...guild,
      channels: without(guild.channels, data.id),
    }));
  },

  CHANNEL_RECIPIENT_ADD: (state, data) =>
    recipients(state, data.channel_id, (present) => [
      ...present.filter((each) => each.id !== data.user.id),
      data.user,
    ]),
  CHANNEL_RECIPIENT_REMOVE: (state, data) =>
    recipients(state, data.channel_id, (present) =>
      present.filter((each) => each.id !== data.user.id),
    ),

  TYPING_START: (state, data) => {
    if (data.user_id === state.me?.id) return state;
    const present = state.typing[data.channel_id] ?? {};
    const until = data.timestamp * 1000 + TYPING_MS;
    return {
      ...state,
      typing: {...state.typing, [data.channel_id]: {...present, [data.user_id]: until}},
    };
  },
};

/** @param {State} state @param {any} data @returns {State} */
function put(state, data) {
  const newest = data.last_message_id
    ? {...state.newest, [data.id]: data.last_message_id}
    : state.newest;
  if (!data.guild_id) {
    return {...state, newest, privates: {...state.privates, [data.id]: data}};
  }
  return withGuild({...state, newest}, data.guild_id, (guild) => ({
    ...guild,
    channels: {...guild.channels, [data.id]: data},
  }));
}

/**
 * @param {State} state
 * @param {string} id
 * @param {(present: any[]) => any[]} change
 * @returns {State}
 */
function recipients(state, id, change) {
  const channel = state.privates[id];
  if (channel === undefined) return state;
  const changed = {...channel, recipients: change(channel.recipients ?? [])};
  return {...state, privates: {...state.privates, [id]: changed}};
}

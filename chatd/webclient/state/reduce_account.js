/** Events about the user's own account: READY, settings, relationships, presences. */

import {guildOf} from "./reduce_guilds.js";
import {EMPTY, byId, compareIds, without} from "./shape.js";
import {writable} from "./writable.js";

/** @typedef {import("./shape.js").State} State */

/** @type {Record<string, (state: State, data: any) => State>} */
export const ACCOUNT = {
  READY: (state, data) => {
    /** @type {import("./shape.js").Guild[]} */
    const guilds = data.guilds.filter((/** @type {any} */ each) => !each.unavailable).map(guildOf);
    const channels = [
      ...guilds.flatMap((/** @type {any} */ each) => Object.values(each.channels)),
      ...data.private_channels,
    ];
    return {
      ...EMPTY,
      me: data.user,
      guilds: byId(guilds),
      privates: byId(data.private_channels),
      relationships: byId(data.relationships),
      presences: Object.fromEntries(
        (data.presences ?? []).map((/** @type {any} */ each) => [each.user.id, each.status]),
      ),
      reads: Object.fromEntries(
        entries(data.read_state).map((each) => [
          each.id,
          {read: each.last_message_id ?? "0", mentions: each.mention_count ?? 0},
        ]),
      ),
      newest: Object.fromEntries(
        channels
          .filter((each) => each.last_message_id)
          .map((each) => [each.id, each.last_message_id]),
      ),
      notices: Object.fromEntries(
        entries(data.user_guild_settings).map((each) => [each.guild_id ?? "@me", each]),
      ),
      // What the user has typed and not yet sent outlives the session.
      timelines: Object.fromEntries(
        Object.entries(state.timelines)
          .filter(([, each]) => each.pending.length > 0)
          .map(([id, each]) => [id, {...each, messages: [], atStart: false, atEnd: false}]),
      ),
    };
  },

  USER_GUILD_SETTINGS_UPDATE: (state, data) => ({
    ...state,
    notices: {...state.notices, [data.guild_id ?? "@me"]: data},
  }),

  "logged out": () => EMPTY,

  USER_UPDATE: (state, data) => ({...state, me: {...state.me, ...data}}),

  RELATIONSHIP_ADD: (state, data) => ({
    ...state,
    relationships: {...state.relationships, [data.id]: data},
  }),

  RELATIONSHIP_UPDATE: (state, data) =>
    data.id in state.relationships
      ? {
          ...state,
          relationships: {
            ...state.relationships,
            [data.id]: {...state.relationships[data.id], ...data},
          },
        }
      : state,

  RELATIONSHIP_REMOVE: (state, data) => ({
    ...state,
    relationships: without(state.relationships, data.id),
  }),

  PRESENCE_UPDATE: (state, data) => {
    const presences = writable(state.presences);
    if (data.status === "offline") delete presences[data.user.id];
    else presences[data.user.id] = data.status;
    return {...(data.user.username ? withProfile(state, data.user) : state), presences};
  },

  MESSAGE_ACK: (state, {channel_id: id, message_id: read, mention_count: count}) => {
    // Of what is read in part the mentions stay until they are counted: none would be wrong.
    const isPart = state.newest[id] !== undefined && compareIds(read, state.newest[id]) < 0;
    const mentions = count ?? (isPart ? (state.reads[id]?.mentions ?? 0) : 0);
    return {...state, reads: {...state.reads, [id]: {read, mentions}}};
  },
};

/** @param {any} readState A list, or an object with a version. @returns {any[]} */
const entries = (readState) => (Array.isArray(readState) ? readState : (readState?.entries ?? []));

/** Show the name and the picture to which a friend has changed. @param {State} state @param {any} user */
const withProfile = (state, user) => {
  const friend = state.relationships[user.id];
  const shown = (/** @type {any} */ each) => (each.id === user.id ? {...each, ...user} : each);
  return {
    ...state,
    relationships: friend
      ? {...state.relationships, [user.id]: {...friend, user: {...friend.user, ...user}}}
      : state.relationships,
    privates: Object.fromEntries(
      Object.entries(state.privates).map(([id, each]) => [
        id,
        {...each, recipients: each.recipients?.map(shown)},
      ]),
    ),
  };
};

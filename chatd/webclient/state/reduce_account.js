/** Events about the user's own account: READY, settings, relationships, presences. */

import {guildOf} from "./reduce_guilds.js";
import {EMPTY, byId, without} from "./shape.js";

/** @typedef {import("./shape.js").State} State */

/** @type {Record<string, (state: State, data: any) => State>} */
export const ACCOUNT = {
  READY: (state, data) => {
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
      // What the user has typed and not yet sent outlives the session.
      timelines: Object.fromEntries(
        Object.entries(state.timelines)
          .filter(([, each]) => each.pending.length > 0)
          .map(([id, each]) => [id, {...each, messages: [], atStart: false, atEnd: false}]),
      ),
    };
  },

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

  PRESENCE_UPDATE: (state, data) => ({
    ...state,
    presences:
      data.status === "offline"
        ? without(state.presences, data.user.id)
        : {...state.presences, [data.user.id]: data.status},
  }),

  MESSAGE_ACK: (state, data) => ({
    ...state,
    reads: {
      ...state.reads,
      [data.channel_id]: {read: data.message_id, mentions: data.mention_count ?? 0},
    },
  }),
};

/** @param {any} readState A list, or an object with a version. @returns {any[]} */
const entries = (readState) => (Array.isArray(readState) ? readState : (readState?.entries ?? []));

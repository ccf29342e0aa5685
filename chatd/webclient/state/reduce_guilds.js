/** Events of guilds, their roles and members. */

import {byId, without} from "./shape.js";

/**
 * @typedef {import("./shape.js").State} State
 * @typedef {import("./shape.js").Guild} Guild
 */

/** Return a guild as the state keeps it. @param {any} data @returns {Guild} */
export function guildOf(data) {
  const own = {...data.properties, ...data};
  return {
    id: own.id,
    name: own.name,
    icon: own.icon ?? null,
    owner_id: own.owner_id,
    channels: byId(own.channels ?? []),
    roles: byId(own.roles ?? []),
    members: Object.fromEntries((own.members ?? []).map((/** @type {any} */ each) => [each.user.id, each])),
    member_count: own.member_count ?? 0,
  };
}

/**
 * Return the state with one guild changed; the same state if the page does not know the guild.
 * @param {State} state
 * @param {string} id
 * @param {(guild: Guild) => Guild} change
 * @returns {State}
 */
export function withGuild(state, id, change) {
  const guild = state.guilds[id];
  return guild === undefined ? state : {...state, guilds: {...state.guilds, [id]: change(guild)}};
}

/** @type {Record<string, (state: State, data: any) => State>} */
export const GUILDS = {
  GUILD_CREATE: (state, data) => {
    const guild = guildOf(data);
    const newest = Object.values(guild.channels)
      .filter((each) => each.last_message_id)
      .map((each) => [each.id, each.last_message_id]);
    return {
      ...state,
      guilds: {...state.guilds, [guild.id]: guild},
      newest: {...state.newest, ...Object.fromEntries(newest)},
    };
  },

  GUILD_UPDATE: (state, data) =>
    withGuild(state, data.id, (guild) => ({
      ...guild,
      name: data.name,
      icon: data.icon ?? null,
      owner_id: data.owner_id,
    })),

  GUILD_DELETE: (state, data) => {
    if (data.unavailable) return state;
    const gone = new Set(Object.keys(state.guilds[data.id]?.channels ?? {}));
    const kept = Object.entries(state.timelines).filter(([id]) => !gone.has(id));
    return {
      ...state,
      guilds: without(state.guilds, data.id),
      lists: without(state.lists, data.id),
      timelines: Object.fromEntries(kept),
    };
  },

  GUILD_ROLE_CREATE: (state, data) => role(state, data),
  GUILD_ROLE_UPDATE: (state, data) => role(state, data),
  GUILD_ROLE_DELETE: (state, data) =>
    withGuild(state, data.guild_id, (guild) => ({
      ...guild,
      roles: without(guild.roles, data.role_id),
    })),

  GUILD_MEMBER_ADD: (state, data) =>
    withGuild(state, data.guild_id, (guild) => ({
      ...guild,
      members: {...guild.members, [data.user.id]: data},
      member_count: guild.member_count + 1,
    })),
  GUILD_MEMBER_UPDATE: (state, data) =>
    withGuild(state, data.guild_id, (guild) => ({
      ...guild,
      members: {...guild.members, [data.user.id]: {...guild.members[data.user.id], ...data}},
    })),
  GUILD_MEMBER_REMOVE: (state, data) =>
    withGuild(state, data.guild_id, (guild) => ({
      ...guild,
      members: without(guild.members, data.user.id),
      member_count: Math.max(0, guild.member_count - 1),
    })),
};

/** @param {State} state @param {any} data */
const role = (state, data) =>
  withGuild(state, data.guild_id, (guild) => ({
    ...guild,
    roles: {...guild.roles, [data.role.id]: data.role},
  }));

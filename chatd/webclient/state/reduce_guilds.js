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
    // Within a guild, channels do not name it; events of channels do.
    channels: byId((own.channels ?? []).map((/** @type {any} */ each) => ({...each, guild_id: own.id}))),
    roles: byId(own.roles ?? []),
    members: Object.fromEntries((own.members ?? []).map((/** @type {any} */ each) => [each.user.id, each])),
    member_count: own.member_count ?? 0,
    ...settingsOf(own),
  };
}

/** The settings of a guild as events have them. @param {any} data */
const settingsOf = (data) => ({
  description: data.description ?? null,
  system_channel_id: data.system_channel_id ?? null,
  system_channel_flags: data.system_channel_flags ?? 0,
  rules_channel_id: data.rules_channel_id ?? null,
  default_message_notifications: data.default_message_notifications ?? 0,
  preferred_locale: data.preferred_locale ?? "en-US",
  mfa_level: data.mfa_level ?? 0,
});

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
      ...settingsOf(data),
    })),

  GUILD_DELETE: (state, data) => {
    if (data.unavailable) return state;
    const channels = state.guilds[data.id]?.channels ?? {};
    const kept = Object.entries(state.timelines).filter(([id]) => !(id in channels));
    return {
      ...state,
      guilds: without(state.guilds, data.id),
      lists: without(state.lists, data.id),
      timelines: Object.fromEntries(kept),
      // Like the server, it forgets what a member has muted, but not what a member has read.
      notices: without(state.notices, data.id),
    };
  },

  GUILD_ROLE_CREATE: (state, data) => role(state, data),
  GUILD_ROLE_UPDATE: (state, data) => role(state, data),
  GUILD_ROLE_DELETE: (state, data) =>
    withGuild(state, data.guild_id, (guild) => ({
      ...guild,
      roles: without(guild.roles, data.role_id),
      members: Object.fromEntries(
        Object.entries(guild.members).map(([id, member]) => [
          id,
          (member.roles ?? []).includes(data.role_id)
            ? {...member, roles: member.roles.filter((/** @type {string} */ each) => each !== data.role_id)}
            : member,
        ]),
      ),
    })),

  GUILD_MEMBER_ADD: (state, data) =>
    withGuild(state, data.guild_id, (guild) => ({
      ...guild,
      members: {...guild.members, [data.user.id]: data},
      member_count: guild.member_count + 1,
    })),
  /** Members that the page has asked for. */
  GUILD_MEMBERS_CHUNK: (state, data) => met(state, data.guild_id, data.members),
  "members loaded": (state, data) => met(state, data.guild, data.members),
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

/** @param {State} state @param {string} id @param {any[]} members */
const met = (state, id, members) =>
  withGuild(state, id, (guild) => ({
    ...guild,
    members: {...guild.members, ...Object.fromEntries(members.map((each) => [each.user.id, each]))},
  }));

/** @param {State} state @param {any} data */
const role = (state, data) =>
  withGuild(state, data.guild_id, (guild) => ({
    ...guild,
    roles: {...guild.roles, [data.role.id]: data.role},
  }));

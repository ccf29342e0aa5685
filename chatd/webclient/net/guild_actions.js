/** What the user does with guilds, channels, roles and members. Their events change the state. */

import {compareIds} from "../state/shape.js";
import {dispatch, state} from "../state/store.js";
import {rest} from "./session.js";

/** Members of a page of results. */
export const MEMBERS_PAGE = 100;
export const BANS_PAGE = 100;
export const AUDIT_PAGE = 50;
/** Channels of one request that marks them as read. */
const MAX_READ = 500;

/** Guilds and channels that the user has left or deleted here. @type {Set<string>} */
export const leftHere = new Set();

/** @param {string} id */
const wanted = (id) => {
  leftHere.add(id);
  return id;
};

// Guilds

/** @param {string} guild @param {any} change */
export const changeGuild = (guild, change) => rest.patch(`/guilds/${guild}`, change);
/** @param {string} guild */
export const deleteGuild = (guild) => rest.delete(`/guilds/${wanted(guild)}`);
/** @param {string} guild */
export const leaveGuild = (guild) => rest.delete(`/users/@me/guilds/${wanted(guild)}`);

// Channels

/** @param {string} guild @param {any} channel */
export const createChannel = (guild, channel) => rest.post(`/guilds/${guild}/channels`, channel);
/** @param {string} channel @param {any} change */
export const changeChannel = (channel, change) => rest.patch(`/channels/${channel}`, change);
/** Delete a channel; close a private one, or leave a group. @param {string} channel */
export const deleteChannel = (channel) => rest.delete(`/channels/${wanted(channel)}`);
/** @param {string} guild @param {any[]} moves */
export const moveChannels = (guild, moves) =>
  moves.length === 0 ? Promise.resolve() : rest.patch(`/guilds/${guild}/channels`, moves);
/** @param {string} channel @param {{id: string, type: number, allow: string, deny: string}} overwrite */
export const setOverwrite = (channel, {id, ...overwrite}) =>
  rest.put(`/channels/${channel}/permissions/${id}`, overwrite);
/** @param {string} channel @param {string} id */
export const deleteOverwrite = (channel, id) => rest.delete(`/channels/${channel}/permissions/${id}`);

/** Mark channels as read, up to their newest messages. @param {string[]} channels */
export async function markRead(channels) {
  const {newest, reads} = state.value;
  const unread = channels.filter(
    (id) =>
      newest[id] !== undefined &&
      (compareIds(newest[id], reads[id]?.read ?? "0") > 0 || (reads[id]?.mentions ?? 0) > 0),
  );
  for (let at = 0; at < unread.length; at += MAX_READ) {
    const part = unread.slice(at, at + MAX_READ);
    const positions = part.map((id) => ({channel_id: id, message_id: newest[id]}));
    await rest.request("POST", "/read-states/ack-bulk", {
      body: {read_states: positions},
      isRepeatable: true,
    });
  }
}

/**
 * Mute a guild or one of its channels, or end that. @param {string} guild "@me" for private channels
 * @param {string | null} channel @param {boolean} muted
 */
export function mute(guild, channel, muted) {
  const change = {muted, mute_config: null};
  const body = channel === null ? change : {channel_overrides: {[channel]: change}};
  return rest.patch(`/users/@me/guilds/${guild}/settings`, body);
}

/** @param {string} guild @param {any} change */
export const changeNotifications = (guild, change) =>
  rest.patch(`/users/@me/guilds/${guild}/settings`, change);

// Roles

/** @param {string} guild @param {any} role */
export const createRole = (guild, role) => rest.post(`/guilds/${guild}/roles`, role);
/** @param {string} guild @param {string} role @param {any} change */
export const changeRole = (guild, role, change) => rest.patch(`/guilds/${guild}/roles/${role}`, change);
/** @param {string} guild @param {string} role */
export const deleteRole = (guild, role) => rest.delete(`/guilds/${guild}/roles/${role}`);
/** @param {string} guild @param {{id: string, position: number}[]} moves */
export const moveRoles = (guild, moves) => rest.patch(`/guilds/${guild}/roles`, moves);
/** @param {string} guild @param {string} user @param {string} role @param {boolean} isAssigned */
export function assignRole(guild, user, role, isAssigned) {
  const path = `/guilds/${guild}/members/${user}/roles/${role}`;
  return isAssigned ? rest.put(path) : rest.delete(path);
}

// Members

/** Find members by the beginning of their names. @param {string} guild @param {string} query */
export async function searchMembers(guild, query) {
  const members = await rest.get(`/guilds/${guild}/members/search`, {query, limit: MEMBERS_PAGE});
  dispatch({type: "members loaded", data: {guild, members}});
  return members;
}

/** @param {string} guild @param {string} [after] */
export async function membersAfter(guild, after) {
  const members = await rest.get(`/guilds/${guild}/members`, {after, limit: MEMBERS_PAGE});
  dispatch({type: "members loaded", data: {guild, members}});
  return members;
}

/** @param {string} guild @param {string} user */
export async function loadMember(guild, user) {
  const member = await rest.get(`/guilds/${guild}/members/${user}`);
  dispatch({type: "members loaded", data: {guild, members: [member]}});
  return member;
}

/** @param {string} guild @param {string} user "@me" for the user itself @param {any} change @param {string} [reason] */
export const changeMember = (guild, user, change, reason) =>
  rest.request("PATCH", `/guilds/${guild}/members/${user}`, {body: change, reason});
/** @param {string} guild @param {string} user @param {string} [reason] */
export const kick = (guild, user, reason) =>
  rest.request("DELETE", `/guilds/${guild}/members/${user}`, {reason});

// Bans

/** @param {string} guild @param {string} user @param {number} seconds of messages to delete @param {string} [reason] */
export const ban = (guild, user, seconds, reason) =>
  rest.request("PUT", `/guilds/${guild}/bans/${user}`, {
    body: {delete_message_seconds: seconds},
    reason,
  });
/** @param {string} guild @param {string} user */
export const unban = (guild, user) => rest.delete(`/guilds/${guild}/bans/${user}`);
/** @param {string} guild @param {string} [after] */
export const bansAfter = (guild, after) => rest.get(`/guilds/${guild}/bans`, {after, limit: BANS_PAGE});

// Invites

/** @param {string} guild */
export const invitesOf = (guild) => rest.get(`/guilds/${guild}/invites`);
/** @param {string} channel @param {any} terms */
export const createInvite = (channel, terms) => rest.post(`/channels/${channel}/invites`, terms);
/** @param {string} code */
export const deleteInvite = (code) => rest.delete(`/invites/${encodeURIComponent(code)}`);

// Audit log, webhooks, integrations

/** @param {string} guild @param {{user_id?: string, action_type?: number, before?: string}} filter */
export const auditLog = (guild, filter) =>
  rest.get(`/guilds/${guild}/audit-logs`, {limit: AUDIT_PAGE, ...filter});

/** @param {string} guild */
export const webhooksOf = (guild) => rest.get(`/guilds/${guild}/webhooks`);
/** @param {string} channel @param {string} name */
export const createWebhook = (channel, name) => rest.post(`/channels/${channel}/webhooks`, {name});
/** @param {string} webhook @param {any} change */
export const changeWebhook = (webhook, change) => rest.patch(`/webhooks/${webhook}`, change);
/** @param {string} webhook */
export const deleteWebhook = (webhook) => rest.delete(`/webhooks/${webhook}`);

/** @param {string} guild */
export const integrationsOf = (guild) => rest.get(`/guilds/${guild}/integrations`);
/** @param {string} guild @param {string} id */
export const deleteIntegration = (guild, id) => rest.delete(`/guilds/${guild}/integrations/${id}`);

// Private channels and friends

/** @param {string[]} recipients */
export const createGroup = (recipients) => rest.post("/users/@me/channels", {recipients});
/** @param {string} channel @param {string} user */
export const addToGroup = (channel, user) => rest.put(`/channels/${channel}/recipients/${user}`, {});
/** @param {string} channel @param {string} user */
export const removeFromGroup = (channel, user) =>
  rest.delete(`/channels/${channel}/recipients/${user}`);
/** Send or accept a friend request. @param {string} user */
export const befriend = (user) => rest.put(`/users/@me/relationships/${user}`, {});
/** @param {string} user */
export const block = (user) => rest.put(`/users/@me/relationships/${user}`, {type: 2});
/** End a friendship, decline or withdraw a request, or end a block. @param {string} user */
export const endRelationship = (user) => rest.delete(`/users/@me/relationships/${user}`);

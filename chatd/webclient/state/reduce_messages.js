/** Events of messages and reactions. */

import {isMuted} from "./select.js";
import {compareIds} from "./shape.js";
import {MAX_MESSAGES, merged, trimmed, withMessage, withoutMessages, withTimeline} from "./timeline.js";

/**
 * @typedef {import("./shape.js").State} State
 * @typedef {import("./shape.js").Json} Json
 */

/** @type {Record<string, (state: State, data: any) => State>} */
export const MESSAGES = {
  MESSAGE_CREATE: (state, data) => {
    const id = data.channel_id;
    const isOwn = data.author.id === state.me?.id;
    const count = state.reads[id]?.mentions ?? 0;
    const typing = {...state.typing[id]};
    delete typing[data.author.id];
    const after = {
      ...state,
      newest: {...state.newest, [id]: later(state.newest[id], data.id)},
      typing: {...state.typing, [id]: typing},
      // The server counts no own message as unread; it is read when the page acknowledges it.
      reads:
        !isOwn && mentions(state, data)
          ? {...state.reads, [id]: {read: state.reads[id]?.read ?? "0", mentions: count + 1}}
          : state.reads,
    };
    return withTimeline(after, id, (present) => ({
      ...present,
      messages: present.atEnd ? trimmed(merged(present.messages, [data]), "start") : present.messages,
      atStart: present.atStart && present.messages.length < MAX_MESSAGES,
      pending: present.pending.filter((each) => !isOwn || each.nonce !== data.nonce),
    }));
  },

  MESSAGE_UPDATE: (state, data) =>
    withMessage(state, data.channel_id, data.id, (present) => ({...present, ...data})),

  MESSAGE_DELETE: (state, data) => withoutMessages(state, data.channel_id, [data.id]),
  MESSAGE_DELETE_BULK: (state, data) => withoutMessages(state, data.channel_id, data.ids),

  MESSAGE_REACTION_ADD: (state, data) =>
    withMessage(state, data.channel_id, data.message_id, (present) =>
      reacted(present, data.emoji, data.user_id === state.me?.id, 1),
    ),
  MESSAGE_REACTION_REMOVE: (state, data) =>
    withMessage(state, data.channel_id, data.message_id, (present) =>
      reacted(present, data.emoji, data.user_id === state.me?.id, -1),
    ),
  MESSAGE_REACTION_REMOVE_ALL: (state, data) =>
    withMessage(state, data.channel_id, data.message_id, (present) => ({...present, reactions: []})),
  MESSAGE_REACTION_REMOVE_EMOJI: (state, data) =>
    withMessage(state, data.channel_id, data.message_id, (present) => ({
      ...present,
      reactions: (present.reactions ?? []).filter(
        (/** @type {any} */ each) => !isSameEmoji(each.emoji, data.emoji),
      ),
    })),
};

/** @param {string | undefined} a @param {string} b */
const later = (a, b) => (a !== undefined && compareIds(a, b) > 0 ? a : b);

/** @param {any} a @param {any} b */
const isSameEmoji = (a, b) => (a.id ?? null) === (b.id ?? null) && (a.id || a.name === b.name);

/** @param {Json} message @param {any} emoji @param {boolean} isOwn @param {1 | -1} by */
function reacted(message, emoji, isOwn, by) {
  /** @type {any[]} */
  const before = message.reactions ?? [];
  const known = before.find((each) => isSameEmoji(each.emoji, emoji));
  // The page of history that has just come may have had it already. Those of others cannot be told apart.
  if (isOwn && Boolean(known?.me) === by > 0) return message;
  if (known === undefined && by < 0) return message;
  if (known === undefined) {
    return {...message, reactions: [...before, {emoji, count: 1, me: isOwn}]};
  }
  const changed = {...known, count: known.count + by, me: isOwn ? by > 0 : known.me};
  return {
    ...message,
    reactions: before
      .map((each) => (each === known ? changed : each))
      .filter((each) => each.count > 0),
  };
}

/**
 * Return whether a message counts as a mention of the user, as the server counts.
 * @param {State} state @param {Json} message
 */
export function mentions(state, message) {
  // Every direct message counts.
  if (!message.guild_id) return !isMuted(state, "@me", message.channel_id);
  const roles = state.guilds[message.guild_id]?.members[state.me?.id ?? ""]?.roles ?? [];
  const settings = state.notices[message.guild_id];
  return (
    message.mentions.some((/** @type {any} */ each) => each.id === state.me?.id) ||
    (message.mention_everyone && !settings?.suppress_everyone) ||
    (!settings?.suppress_roles &&
      message.mention_roles.some((/** @type {string} */ each) => roles.includes(each)))
  );
}

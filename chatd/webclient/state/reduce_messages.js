/** Events of messages and reactions, pages of history, and messages that are being sent. */

import {NO_TIMELINE, compareIds} from "./shape.js";

/**
 * @typedef {import("./shape.js").State} State
 * @typedef {import("./shape.js").Timeline} Timeline
 * @typedef {import("./shape.js").Json} Json
 */

/** Messages that a timeline keeps; those far from the view are loaded again when needed. */
export const MAX_MESSAGES = 300;

/** @type {Record<string, (state: State, data: any) => State>} */
export const MESSAGES = {
  MESSAGE_CREATE: (state, data) => {
    const id = data.channel_id;
    const isOwn = data.author.id === state.me?.id;
    const mentions = state.reads[id]?.mentions ?? 0;
    const typing = {...state.typing[id]};
    delete typing[data.author.id];
    const after = {
      ...state,
      newest: {...state.newest, [id]: data.id},
      typing: {...state.typing, [id]: typing},
      reads: isOwn
        ? {...state.reads, [id]: {read: data.id, mentions: 0}}
        : names(state, data)
          ? {...state.reads, [id]: {read: state.reads[id]?.read ?? "0", mentions: mentions + 1}}
          : state.reads,
    };
    return timeline(after, id, (present) => ({
      ...present,
      messages: present.atEnd ? trimmed(merged(present.messages, [data]), "start") : present.messages,
      atStart: present.atStart && present.messages.length < MAX_MESSAGES,
      pending: present.pending.filter((each) => !isOwn || each.nonce !== data.nonce),
    }));
  },

  MESSAGE_UPDATE: (state, data) =>
    message(state, data.channel_id, data.id, (present) => ({...present, ...data})),

  MESSAGE_DELETE: (state, data) => removed(state, data.channel_id, [data.id]),
  MESSAGE_DELETE_BULK: (state, data) => removed(state, data.channel_id, data.ids),

  MESSAGE_REACTION_ADD: (state, data) =>
    message(state, data.channel_id, data.message_id, (present) =>
      reacted(present, data.emoji, data.user_id === state.me?.id, 1),
    ),
  MESSAGE_REACTION_REMOVE: (state, data) =>
    message(state, data.channel_id, data.message_id, (present) =>
      reacted(present, data.emoji, data.user_id === state.me?.id, -1),
    ),
  MESSAGE_REACTION_REMOVE_ALL: (state, data) =>
    message(state, data.channel_id, data.message_id, (present) => ({...present, reactions: []})),
  MESSAGE_REACTION_REMOVE_EMOJI: (state, data) =>
    message(state, data.channel_id, data.message_id, (present) => ({
      ...present,
      reactions: (present.reactions ?? []).filter(
        (/** @type {any} */ each) => each.emoji.name !== data.emoji.name,
      ),
    })),

  /** A page of history: `before`, `after` or neither says where it belongs; `limit` its size. */
  "page loaded": (state, {channel, page, before, after, limit}) =>
    timeline(state, channel, (present) => {
      const isWhole = page.length < limit;
      if (before === undefined && after === undefined) {
        const messages = merged([], page);
        return {...present, messages, atStart: isWhole, atEnd: true};
      }
      if (before !== undefined) {
        const messages = trimmed(merged(present.messages, page), "end");
        const atEnd = present.atEnd && messages.at(-1) === present.messages.at(-1);
        return {...present, messages, atStart: isWhole, atEnd};
      }
      const messages = trimmed(merged(present.messages, page), "start");
      const atStart = present.atStart && messages[0] === present.messages[0];
      return {...present, messages, atStart, atEnd: isWhole};
    }),

  /** The page leaves a channel, and shows its newest messages when it returns. */
  "timeline forgotten": (state, {channel}) =>
    timeline(state, channel, (present) => ({...NO_TIMELINE, pending: present.pending})),

  "sending": (state, {channel, pending}) =>
    timeline(state, channel, (present) => ({
      ...present,
      pending: [...present.pending.filter((each) => each.nonce !== pending.nonce), pending],
    })),

  "sending changed": (state, {channel, nonce, change}) =>
    timeline(state, channel, (present) => ({
      ...present,
      pending: present.pending.map((each) => (each.nonce === nonce ? {...each, ...change} : each)),
    })),

  "sending ended": (state, {channel, nonce}) =>
    timeline(state, channel, (present) => ({
      ...present,
      pending: present.pending.filter((each) => each.nonce !== nonce),
    })),
};

/**
 * @param {State} state
 * @param {string} id
 * @param {(timeline: Timeline) => Timeline} change
 * @returns {State}
 */
function timeline(state, id, change) {
  const present = state.timelines[id] ?? NO_TIMELINE;
  return {...state, timelines: {...state.timelines, [id]: change(present)}};
}

/**
 * Return the state with one message changed; the same state if the page does not have it.
 * @param {State} state
 * @param {string} channel
 * @param {string} id
 * @param {(message: Json) => Json} change
 */
function message(state, channel, id, change) {
  if (!state.timelines[channel]?.messages.some((each) => each.id === id)) return state;
  return timeline(state, channel, (present) => ({
    ...present,
    messages: present.messages.map((each) => (each.id === id ? change(each) : each)),
  }));
}

/** @param {State} state @param {string} channel @param {string[]} ids */
function removed(state, channel, ids) {
  if (state.timelines[channel] === undefined) return state;
  const gone = new Set(ids);
  return timeline(state, channel, (present) => ({
    ...present,
    messages: present.messages
      .filter((each) => !gone.has(each.id))
      .map((each) =>
        gone.has(each.referenced_message?.id) ? {...each, referenced_message: null} : each,
      ),
  }));
}

/** Merge two lists of messages in the order of their ids. @param {Json[]} one @param {Json[]} more */
function merged(one, more) {
  const messages = new Map(one.map((each) => [each.id, each]));
  for (const each of more) messages.set(each.id, {...messages.get(each.id), ...each});
  return [...messages.values()].sort((a, b) => compareIds(a.id, b.id));
}

/** @param {Json[]} messages @param {"start" | "end"} where */
const trimmed = (messages, where) =>
  where === "start" ? messages.slice(-MAX_MESSAGES) : messages.slice(0, MAX_MESSAGES);

/** @param {Json} message @param {any} emoji @param {boolean} isOwn @param {1 | -1} by */
function reacted(message, emoji, isOwn, by) {
  /** @type {any[]} */
  const before = message.reactions ?? [];
  const known = before.find((each) => each.emoji.name === emoji.name);
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

/** Return whether a message mentions the user. @param {State} state @param {Json} message */
function names(state, message) {
  if (!message.guild_id) return true; // every direct message counts
  const roles = state.guilds[message.guild_id]?.members[state.me?.id ?? ""]?.roles ?? [];
  return (
    message.mention_everyone ||
    message.mentions.some((/** @type {any} */ each) => each.id === state.me?.id) ||
    message.mention_roles.some((/** @type {string} */ each) => roles.includes(each))
  );
}

/**
 * Notifications of the desktop: for mentions and direct messages, and for all messages of a channel or
 * guild for which the user has chosen that. What is muted stays silent.
 */

import {signal} from "../../vendor/signals.js";
import {t} from "../../lang/translate.js";
import {listeners} from "../../net/session.js";
import {mentions} from "../../state/reduce_messages.js";
import {channelOf, isMuted, nameOf, titleOf} from "../../state/select.js";
import {compareIds} from "../../state/shape.js";
import {state} from "../../state/store.js";
import {channelAt, go, pathOf, route} from "../route.js";
import {plain} from "./plain.js";
import {isWritten} from "./system.js";
import {isAttentive} from "./ui.js";

const KEY = "chatd.notifications";
/** Levels of notifications. Rule: Discord docs, Message Notification Level; 3 is "as the guild has it". */
const [ALL, MENTIONS, NOTHING] = [0, 1, 2];
const BLOCKED = 2;
const MAX_TEXT = 200;

/** Whether the user wants notifications in this browser. */
export const isWanted = signal(stored());

/** Whether the browser has notifications, and what the user has allowed. */
export const permission = signal("Notification" in globalThis ? Notification.permission : "unsupported");

/** Ask the user: browsers show their question only after a click. */
export async function turnOn() {
  permission.value = await Notification.requestPermission();
  if (permission.value === "granted") choose(true);
}

/** @param {boolean} wanted */
export function choose(wanted) {
  isWanted.value = wanted;
  try {
    if (wanted) localStorage.setItem(KEY, "on");
    else localStorage.removeItem(KEY);
  } catch {
    // The choice lasts as long as this page.
  }
}

function stored() {
  try {
    return localStorage.getItem(KEY) === "on";
  } catch {
    return false;
  }
}

listeners.add((name, data) => {
  withdrawAfter(name, data);
  if (name !== "MESSAGE_CREATE" || !isWanted.value) return;
  if (permission.value !== "granted" || !shallNotify(state.peek(), data) || isLookedAt(data.channel_id)) return;
  show(data);
});

/** @param {string} channel */
const isLookedAt = (channel) => isAttentive() && channelAt(route.peek()) === channel;

/**
 * Return whether the user wants to know of a message at once.
 * @param {import("../../state/shape.js").State} present
 * @param {any} message
 */
export function shallNotify(present, message) {
  const {author, guild_id: guild, channel_id: channel} = message;
  if (author.id === present.me?.id || present.relationships[author.id]?.type === BLOCKED) return false;
  const place = guild ?? "@me";
  if (isMuted(present, place) || isMuted(present, place, channel)) return false;
  if (guild === undefined || guild === null) return isWritten(message);
  const level = levelOf(present, guild, channel);
  if (level === NOTHING) return false;
  return (level === ALL && isWritten(message)) || mentions(present, message);
}

/**
 * Return the level that the user has chosen for a channel, its category or its guild; without a choice
 * that of the guild.
 * @param {import("../../state/shape.js").State} present @param {string} guild @param {string} channel
 */
function levelOf(present, guild, channel) {
  const settings = present.notices[guild];
  const category = present.guilds[guild]?.channels[channel]?.parent_id;
  const overrides = settings?.channel_overrides ?? [];
  const of = (/** @type {string | null | undefined} */ id) =>
    overrides.find((/** @type {any} */ each) => each.channel_id === id)?.message_notifications;
  const standard = present.guilds[guild]?.default_message_notifications;
  const chosen = [of(channel), of(category), settings?.message_notifications, standard];
  return chosen.find((each) => each === ALL || each === MENTIONS || each === NOTHING) ?? MENTIONS;
}

/** What is shown, by channel and message. @type {Map<string, Map<string, Notification>>} */
const notified = new Map();

/** Close what is read, on any device, or gone. @param {string} name @param {any} data */
function withdrawAfter(name, data) {
  if (name === "MESSAGE_ACK") withdraw(data.channel_id, (id) => compareIds(id, data.message_id) <= 0);
  if (name === "MESSAGE_DELETE") withdraw(data.channel_id, (id) => id === data.id);
  if (name === "MESSAGE_DELETE_BULK") withdraw(data.channel_id, (id) => data.ids.includes(id));
  if (name === "CHANNEL_DELETE") withdraw(data.id, () => true);
}

/** @param {string} channel @param {(message: string) => boolean} isOver */
function withdraw(channel, isOver) {
  const present = notified.get(channel);
  for (const [message, shown] of present ?? []) {
    if (!isOver(message)) continue;
    shown.close();
    present?.delete(message);
  }
  if (present?.size === 0) notified.delete(channel);
}

/** @param {any} message */
function show(message) {
  const present = state.peek();
  const channel = channelOf(present, message.channel_id);
  const name = nameOf(present, message.author, message.guild_id);
  const place = message.guild_id && channel ? ` (#${titleOf(present, channel)})` : "";
  const text = plain(message.content, message.guild_id).slice(0, MAX_TEXT) || t("message-without-text");
  try {
    // Pages in other tabs use the same tag: the user sees one notification.
    const shown = new Notification(name + place, {body: text, tag: message.id, icon: "/embed/avatars/0.png"});
    const ofChannel = notified.get(message.channel_id) ?? new Map();
    notified.set(message.channel_id, ofChannel.set(message.id, shown));
    shown.onclose = () => ofChannel.delete(message.id);
    shown.onclick = () => {
      shown.close();
      focus();
      go(`${pathOf(message.guild_id ?? null, message.channel_id)}/${message.id}`);
    };
  } catch {
    // Some phones let only service workers notify.
  }
}

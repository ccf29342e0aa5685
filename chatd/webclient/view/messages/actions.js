/** What can be done with a message, by buttons, in its menu and with keys. */

import {t} from "../../lang/translate.js";
import {markUnread} from "../../net/history.js";
import {setPinned, toggleReaction} from "../../net/messages.js";
import {guildOfChannel, may, nameOf} from "../../state/select.js";
import {
  ADD_REACTIONS,
  MANAGE_MESSAGES,
  PIN_MESSAGES,
  SEND_MESSAGES,
} from "../../state/permissions.js";
import {state as whole} from "../../state/store.js";
import {openReport} from "../complaint.js";
import {openDialog} from "../dialog.js";
import {reason} from "../../net/reasons.js";
import {copied} from "../clipboard.js";
import {html} from "../html.js";
import {lazy} from "../lazy.js";
import {pathOf} from "../route.js";
import {isWritten} from "./system.js";
import {announcement, editing, failure, opened, replying} from "./ui.js";

const DeleteMessage = lazy(() => import("./delete_message.js"), "DeleteMessage");

/**
 * @typedef {object} Action
 * @property {string} id
 * @property {string} key The key that does it while the message has the focus.
 * @property {string} label
 * @property {boolean} [isDangerous]
 * @property {(message: any, entry: Element) => unknown} act
 */

/**
 * @param {import("../../state/shape.js").State} state
 * @param {any} message
 * @returns {Action[]}
 */
export function actionsOf(state, message) {
  const isOwn = message.author.id === state.me?.id;
  const channel = message.channel_id;
  const mayManage = may(state, channel, MANAGE_MESSAGES, false);
  /** @type {[boolean, Action][]} */
  const all = [
    [may(state, channel, ADD_REACTIONS), {id: "react", key: "+", label: t("react"), act: react}],
    [may(state, channel, SEND_MESSAGES), {id: "reply", key: "r", label: t("reply"), act: reply}],
    [isOwn && isWritten(message), {id: "edit", key: "e", label: t("edit"), act: edit}],
    [
      may(state, channel, PIN_MESSAGES) && isWritten(message),
      {id: "pin", key: "p", label: message.pinned ? t("unpin") : t("pin"), act: pin},
    ],
    [message.content !== "", {id: "copy-text", key: "c", label: t("copy-text"), act: copyText}],
    [true, {id: "copy-link", key: "l", label: t("copy-link"), act: copyLink}],
    [true, {id: "unread", key: "u", label: t("mark-unread"), act: markUnread}],
    [!isOwn && isWritten(message), {id: "report", key: "!", label: t("report"), act: complain}],
    [isOwn || mayManage, {id: "delete", key: "Delete", label: t("delete"), isDangerous: true, act: remove}],
    [true, {id: "menu", key: "m", label: t("message-menu"), act: menu}],
  ];
  return all.filter(([isPossible]) => isPossible).map(([, action]) => action);
}

/**
 * Do something with a message, and show at the message if it fails.
 * @param {Action | {act: (message: any, entry: Element) => unknown}} action
 * @param {any} message
 * @param {Element} entry
 */
export async function perform({act}, message, entry) {
  failure.value = null;
  try {
    await act(message, entry);
  } catch (error) {
    failure.value = {id: message.id, text: reason(error)};
  }
}

/** @param {any} message */
const reply = (message) => {
  replying.value = message;
};

/** @param {any} message */
const edit = (message) => {
  editing.value = message.id;
};

/** @param {any} message */
const pin = (message) => setPinned(message, !message.pinned);

/** @param {any} message @param {Element} anchor */
const react = (message, anchor) => {
  opened.value = {kind: "emoji", message, anchor};
};

/** @param {any} message @param {Element} anchor */
const menu = (message, anchor) => {
  opened.value = {kind: "menu", message, anchor};
};

/** @param {any} message @param {Element} entry */
const remove = (message, entry) =>
  openDialog(t("delete-message"), html`<${DeleteMessage} message=${message} entry=${entry} />`);

/** @param {any} message */
const complain = (message) =>
  openReport(
    {type: "message", channel_id: message.channel_id, message_id: message.id},
    nameOf(whole.peek(), message.author),
  );

/** @param {any} message */
const copyText = (message) => copy(message.content);

/** @param {any} message */
const copyLink = (message) => copy(new URL(linkOf(message), location.href).href);

/** @param {string} text */
async function copy(text) {
  announcement.value = "";
  if (await copied(text)) announcement.value = t("copied");
  else openDialog(t("copy"), html`<textarea class="copied" readonly rows="6" aria-label=${t("copy")}>${text}</textarea>`);
}

/** Return the path of a message in the client. @param {any} message */
export function linkOf(message) {
  const guild = guildOfChannel(whole.peek(), message.channel_id)?.id ?? null;
  return `${pathOf(guild, message.channel_id)}/${message.id}`;
}

/** @param {any} message @param {any} emoji */
export const toggle = (message, emoji) => perform({act: () => toggleReaction(message, emoji)}, message, document.body);

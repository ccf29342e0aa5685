/** Using the components of messages, submitting forms (modals), and what their applications answer. */

import {guildOfChannel} from "../state/select.js";
import {state} from "../state/store.js";
import {listeners, rest} from "./session.js";

/** Rule: Discord docs, Interaction Type. */
const [COMPONENT, MODAL_SUBMIT] = [3, 5];
/** An application has three seconds to respond; its answer takes a moment more, in milliseconds. */
const ANSWER_MS = 6000;

/**
 * What an application has done; "modal" means that it has opened a form.
 * @typedef {{kind: "done" | "failed" | "modal", modal?: any}} Outcome
 */

/** @type {Map<string, (outcome: Outcome) => void>} */
const waiting = new Map();
let lastNonce = 0;

/**
 * Use a component.
 * @param {any} message @param {any} component @param {string[]} [values]
 */
export function useComponent(message, component, values) {
  const data = {
    component_type: component.type,
    custom_id: component.custom_id,
    ...(values === undefined ? {} : {type: component.type, values}),
  };
  return post({
    type: COMPONENT,
    application_id: message.application_id ?? message.author.id,
    channel_id: message.channel_id,
    guild_id: guildOfChannel(state.peek(), message.channel_id)?.id,
    message_id: message.id,
    message_flags: message.flags ?? 0,
    data,
  });
}

/**
 * Submit a form. The numbers of its files are their places in `files`.
 * @param {any} modal @param {any[]} components @param {File[]} files
 */
export function submitModal(modal, components, files) {
  const attachments = files.map((file, id) => ({id, filename: file.name}));
  return post(
    {
      type: MODAL_SUBMIT,
      application_id: modal.application.id,
      channel_id: modal.channel_id,
      guild_id: guildOfChannel(state.peek(), modal.channel_id)?.id,
      data: {id: modal.id, custom_id: modal.custom_id, components, attachments},
    },
    files,
  );
}

/** @param {any} body @param {File[]} [files] @returns {Promise<Outcome>} */
async function post(body, files = []) {
  lastNonce = Math.max(lastNonce + 1, Date.now());
  const nonce = String(lastNonce);
  /** @type {Promise<Outcome>} */
  const answered = new Promise((resolve) => waiting.set(nonce, resolve));
  let timer = 0;
  try {
    if (files.length > 0) await rest.upload("/interactions", {...body, nonce}, files);
    else await rest.post("/interactions", {...body, nonce});
    timer = setTimeout(() => waiting.get(nonce)?.({kind: "failed"}), ANSWER_MS);
    return await answered;
  } finally {
    clearTimeout(timer);
    waiting.delete(nonce);
  }
}

listeners.add((name, data) => {
  if (name === "INTERACTION_SUCCESS") waiting.get(data.nonce)?.({kind: "done"});
  if (name === "INTERACTION_FAILURE") waiting.get(data.nonce)?.({kind: "failed"});
  if (name === "INTERACTION_MODAL_CREATE") waiting.get(data.nonce)?.({kind: "modal", modal: data});
});

/**
 * What the user does with the messages of the page: which one is edited, answered or highlighted, and
 * what has failed. Keys, menus and the composer start the same things.
 */

import {computed, signal, useComputed} from "../../vendor/signals.js";

/**
 * @template T
 * @typedef {import("../../vendor/signals.js").Signal<T>} Signal
 */

/** The id of the message that is edited. @type {Signal<string | null>} */
export const editing = signal(null);

/** The message that the next one replies to. @type {Signal<any>} */
export const replying = signal(null);

/** What could not be done with a message, until something is done with it. @type {Signal<{id: string, text: string} | null>} */
export const failure = signal(null);

/**
 * What is open at a place of the page.
 * @type {Signal<{kind: "menu" | "emoji", message: any, anchor: Element} | null>}
 */
export const opened = signal(null);

/** Forms (modals) that applications have opened: the first one is shown. @type {Signal<any[]>} */
export const modals = signal([]);

/** Texts of edits that are not saved, by message: the message may leave the page and return. */
export const edits = new Map();

/** The panel beside the messages. @type {Signal<"search" | "pins" | null>} */
export const panel = signal(null);

/** What a screen reader shall say next. @type {Signal<string>} */
export const announcement = signal("");

/** Return whether the user looks at the page: the window is neither hidden nor behind another one. */
export const isAttentive = () => !document.hidden && document.hasFocus();

const editedId = computed(() => editing.value);

/** Return whether a message is edited. @param {string} id */
export const useIsEdited = (id) => useComputed(() => editedId.value === id).value;

/** Return what has failed with a message. @param {string} id */
export const useFailure = (id) =>
  useComputed(() => (failure.value?.id === id ? failure.value.text : "")).value;

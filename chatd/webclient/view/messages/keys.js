/** Keys in the list of messages: the arrows choose a message, letters do something with it. */

import {useEffect} from "../../vendor/hooks.js";
import {state} from "../../state/store.js";
import {actionsOf, perform} from "./actions.js";
import {announcement} from "./ui.js";

/** @typedef {import("../../vendor/hooks.js").Ref<any>} Ref */

/**
 * Return the handler of keys. One message at a time is in the order of the Tab key.
 * @param {any} view
 * @param {import("../../state/shape.js").Timeline} timeline
 */
export function useMessageKeys(view, timeline) {
  const all = () => /** @type {HTMLElement[]} */ ([...view.current.querySelectorAll("[data-id]")]);
  const choose = (/** @type {HTMLElement} */ entry) => {
    for (const each of view.current.querySelectorAll('[data-id][tabindex="0"]')) each.tabIndex = -1;
    entry.tabIndex = 0;
  };
  useEffect(() => {
    const last = all().at(-1);
    if (last && view.current.querySelector('[data-id][tabindex="0"]') === null) choose(last);
  }, [timeline]);
  useEffect(() => {
    const onFocus = (/** @type {FocusEvent} */ event) => {
      const entry = /** @type {HTMLElement} */ (event.target).closest("[data-id]");
      if (entry) choose(/** @type {HTMLElement} */ (entry));
    };
    view.current.addEventListener("focusin", onFocus);
    return () => view.current?.removeEventListener("focusin", onFocus);
  }, []);

  return (/** @type {KeyboardEvent} */ event) => {
    const entry = /** @type {HTMLElement} */ (event.target);
    if (entry.dataset?.id === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    const entries = all();
    const at = entries.indexOf(entry);
    /** @type {Record<string, HTMLElement | undefined>} */
    const moves = {
      ArrowUp: entries[at - 1],
      ArrowDown: entries[at + 1],
      Home: entries[0],
      End: entries.at(-1),
    };
    if (event.key in moves) {
      event.preventDefault();
      moves[event.key]?.focus();
      return;
    }
    const message = timeline.messages.find((each) => each.id === entry.dataset.id);
    const wanted = message && actionsOf(state.peek(), message).find((each) => each.key === keyOf(event));
    if (!wanted) return;
    event.preventDefault();
    announcement.value = "";
    perform(wanted, message, entry);
  };
}

/** @param {KeyboardEvent} event */
const keyOf = ({key, shiftKey}) =>
  key === "ContextMenu" || key === "Enter" || (key === "F10" && shiftKey) ? "m" : key;

/** Hooks that views share. */

import {useEffect, useRef} from "../vendor/hooks.js";
import {useComputed} from "../vendor/signals.js";
import {state} from "../state/store.js";

/**
 * Return a part of the state. The view is rendered again only when that part is another one.
 * @template T
 * @param {(state: import("../state/shape.js").State) => T} select
 * @returns {T}
 */
export function useSelect(select) {
  const latest = useRef(select);
  latest.current = select;
  // The parts of the state that the view depends on may be chosen by its properties.
  const part = useComputed(() => latest.current(state.value));
  void part.value;
  return select(state.peek());
}

/** Focus an element when it appears. @returns {import("../vendor/hooks.js").Ref<any>} */
export function useFocus() {
  const element = useRef(null);
  useEffect(() => /** @type {any} */ (element.current)?.focus(), []);
  return element;
}

/** Hooks that views share. */

import {useEffect, useLayoutEffect, useRef} from "../vendor/hooks.js";
import {useComputed} from "../vendor/signals.js";
import {state} from "../state/store.js";
import {mentionsIn} from "../state/select.js";
import {covers} from "./route.js";

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

/** Let the way back close a view that covers the page. @param {() => void} close */
export function useCover(close) {
  const latest = useRef(close);
  latest.current = close;
  useLayoutEffect(() => {
    const entry = () => latest.current();
    covers.push(entry);
    return () => void covers.splice(covers.indexOf(entry), 1);
  }, []);
}

/** Show a title of the page, after the number of mentions. @param {string} text */
export function useTitle(text) {
  const mentions = useSelect(mentionsIn);
  useEffect(() => {
    document.title = (mentions > 0 ? `(${mentions}) ` : "") + text;
  }, [mentions, text]);
}

/**
 * Focus an element when it appears, and again when `cause` changes.
 * @param {unknown} [cause]
 * @returns {import("../vendor/hooks.js").Ref<any>}
 */
export function useFocus(cause) {
  const element = useRef(null);
  useEffect(() => /** @type {any} */ (element.current)?.focus(), [cause]);
  return element;
}

/**
 * The state of the page: one value that only reducers replace.
 *
 * Events of the gateway come in bursts. They are reduced together, at most once for each frame that
 * the browser paints, so that views are rendered once for all of them.
 */

import {signal} from "../vendor/signals.js";
import {EMPTY} from "./shape.js";
import {reduce} from "./reduce.js";
import {together} from "./writable.js";

/** A page that is not painted reduces after this time, in milliseconds. */
const HIDDEN_MS = 200;

/** The present state. Views read it, and are rendered again when it changes. */
export const state = signal(EMPTY);

/** @type {import("./shape.js").Action[]} */
let waiting = [];
let timer = 0;
let frame = 0;

/** Reduce an action with the next frame. @param {import("./shape.js").Action} action */
export function enqueue(action) {
  waiting.push(action);
  if (waiting.length > 1) return;
  frame = requestAnimationFrame(flush);
  timer = setTimeout(flush, HIDDEN_MS); // browsers paint no frames of hidden pages
}

/** Reduce an action now, after those that wait. @param {import("./shape.js").Action} action */
export function dispatch(action) {
  waiting.push(action);
  flush();
}

export function flush() {
  cancelAnimationFrame(frame);
  clearTimeout(timer);
  const actions = waiting;
  waiting = [];
  if (actions.length > 0) state.value = together(() => actions.reduce(reduced, state.value));
}

/**
 * Return the state after an action. One that cannot be reduced changes nothing: it must not take those
 * with it that arrived in the same frame.
 * @param {import("./shape.js").State} present @param {import("./shape.js").Action} action
 */
function reduced(present, action) {
  try {
    return reduce(present, action);
  } catch (error) {
    reportError(error);
    return present;
  }
}

/** How long to wait for the event that a request has caused, in milliseconds. */
const EVENT_TIMEOUT_MS = 5000;

/**
 * Wait until the state is as a request has made it: its event comes over another connection than
 * its answer. Gives up after some seconds, as the connection may be lost.
 * @param {(state: import("./shape.js").State) => boolean} isReached
 * @returns {Promise<void>}
 */
export function until(isReached) {
  flush();
  if (isReached(state.value)) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timeout);
      unsubscribe();
      resolve();
    };
    const timeout = setTimeout(end, EVENT_TIMEOUT_MS);
    const unsubscribe = state.subscribe((present) => {
      if (isReached(present)) queueMicrotask(end);
    });
  });
}

/**
 * Large parts of the state that are copied once for many actions.
 *
 * Reducers return a new state and leave the old one as it is. A storm of presences would copy ten
 * thousand entries for each. No view sees the states between two actions of a frame, so a copy that
 * was made in this frame may be changed.
 */

/** @type {WeakSet<object> | null} The copies of the actions that are reduced now; null between. */
let copies = null;

/** Run a function that reduces several actions, and return its result. @template T @param {() => T} run */
export function together(run) {
  copies = new WeakSet();
  try {
    return run();
  } finally {
    copies = null;
  }
}

/**
 * Return a copy of an array or an object that a reducer may change before it returns it.
 * @template {object} T @param {T} part @returns {T}
 */
export function writable(part) {
  if (copies?.has(part)) return part;
  const copy = /** @type {T} */ (Array.isArray(part) ? [...part] : {...part});
  copies?.add(copy);
  return copy;
}

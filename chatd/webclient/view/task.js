/** Hooks for what views ask of the server: one action, or something that is loaded. */

import {useEffect, useRef, useState} from "../vendor/hooks.js";
import {reason} from "../net/reasons.js";

/** Return a function that runs an action, whether it runs, and why it failed. */
export function useTask() {
  const [error, setError] = useState("");
  const [isBusy, setBusy] = useState(false);
  const run = async (/** @type {() => Promise<unknown>} */ act) => {
    setBusy(true);
    setError("");
    try {
      await act();
      return true;
    } catch (failure) {
      setError(reason(failure));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return {run, error, isBusy, setError};
}

/**
 * Load something, again when a key changes. Only the latest answer counts.
 * @template T
 * @param {() => Promise<T>} load
 * @param {any[]} keys
 * @returns {{value: T | null, error: string, reload: () => void,
 *   change: (change: (value: T) => T) => void}}
 */
export function useLoaded(load, keys) {
  const [result, setResult] = useState(/** @type {{value: any, error: string}} */ ({value: null, error: ""}));
  const [round, setRound] = useState(0);
  const latest = useRef(0);
  useEffect(() => {
    const own = ++latest.current;
    setResult((present) => ({...present, error: ""}));
    load().then(
      (value) => own === latest.current && setResult({value, error: ""}),
      (error) => own === latest.current && setResult({value: null, error: reason(error)}),
    );
    return () => {
      latest.current++;
    };
  }, [...keys, round]);
  return {
    ...result,
    reload: () => setRound((each) => each + 1),
    change: (change) =>
      setResult((present) =>
        present.value === null ? present : {...present, value: change(present.value)},
      ),
  };
}

/** What a view loads from the server when it is shown. */

import {useEffect, useState} from "../vendor/hooks.js";
import {t} from "../lang/translate.js";
import {reason} from "../net/reasons.js";
import {html} from "./html.js";

/**
 * Load a value when a view is shown, and again on demand.
 * @template T
 * @param {() => Promise<T>} load
 * @param {unknown[]} [causes] The value is loaded again when one of them changes.
 * @returns {{value: T | null, again: () => Promise<void>, problem: any}} `problem` is a view of why
 *   there is no value yet.
 */
export function useLoaded(load, causes = []) {
  const [value, setValue] = useState(/** @type {T | null} */ (null));
  const [error, setError] = useState("");
  const again = async () => {
    try {
      setValue(await load());
      setError("");
    } catch (failure) {
      setError(reason(failure));
    }
  };
  useEffect(() => {
    again();
  }, causes);
  const problem = error
    ? html`<p class="error" role="alert">
        ${error} <button type="button" class="link" onClick=${again}>${t("retry")}</button>
      </p>`
    : value === null
      ? html`<p class="muted" role="status">${t("loading")}</p>`
      : null;
  return {value, again, problem};
}

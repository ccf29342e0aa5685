/** A form that sends itself to the server, and shows what was refused. */

import {useState} from "../vendor/hooks.js";
import {html} from "./html.js";
import {reason} from "./errors.js";

/**
 * @param {{onSubmit: (values: Record<string, string>) => Promise<unknown>, submit: string,
 *   children?: any, more?: any}} properties
 */
export function Form({onSubmit, submit, children, more}) {
  const [error, setError] = useState("");
  const [isBusy, setBusy] = useState(false);
  const onSend = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    const values = /** @type {any} */ (Object.fromEntries(new FormData(form)));
    setBusy(true);
    setError("");
    try {
      await onSubmit(values);
    } catch (failure) {
      setError(reason(failure));
    } finally {
      setBusy(false);
    }
  };
  return html`<form onSubmit=${onSend}>
    ${children}
    <p class="error" role="alert">${error}</p>
    <div class="actions">${more}<button class="primary" disabled=${isBusy}>${submit}</button></div>
  </form>`;
}

/**
 * @param {{label: string, name: string, type?: string, autocomplete?: string, isOptional?: boolean,
 *   maxLength?: number, inputRef?: any}} properties
 */
export function Field({label, name, type = "text", autocomplete, isOptional, maxLength, inputRef}) {
  return html`<label class="field"
    >${label}
    <input
      name=${name}
      type=${type}
      autocomplete=${autocomplete ?? "off"}
      required=${!isOptional}
      maxlength=${maxLength}
      ref=${inputRef}
    />
  </label>`;
}

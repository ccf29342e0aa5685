/** A form that sends itself to the server, and shows what was refused, at the fields. */

import {createContext} from "../vendor/preact.js";
import {useContext, useEffect, useId, useRef, useState} from "../vendor/hooks.js";
import {html} from "./html.js";
import {reasons} from "../net/reasons.js";
import {Pause} from "./pause.js";
import {useUnsavedForm} from "./unsaved.js";

/** The errors of the fields of a form, by their names. */
const Errors = createContext(/** @type {Record<string, string>} */ ({}));

/**
 * @param {{onSubmit: (values: Record<string, string>) => Promise<unknown>, submit: string,
 *   done?: string, isDangerous?: boolean, isReset?: boolean, isDisabled?: boolean,
 *   children?: any, more?: any}} properties
 *   `done` is shown after the form was accepted; with `isReset` its fields have their first values
 *   again. Those with `done` are settings: the user is asked before changes are lost.
 */
export function Form({onSubmit, submit, done = "", isDangerous, isReset, isDisabled, children, more}) {
  const [errors, setErrors] = useState({fields: {}, rest: ""});
  const [isBusy, setBusy] = useState(false);
  const [isDone, setDone] = useState(false);
  const element = useRef(/** @type {any} */ (null));
  const guard = useUnsavedForm(element, false, done !== "");
  useEffect(() => element.current?.querySelector("[aria-invalid=true]")?.focus(), [errors]);
  const onSend = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    const values = /** @type {any} */ (Object.fromEntries(new FormData(form)));
    setBusy(true);
    setDone(false);
    setErrors({fields: {}, rest: ""});
    try {
      await onSubmit(values);
      if (isReset) form.reset();
      guard.onSaved();
      setDone(true);
    } catch (failure) {
      const fields = [...form.elements].filter((each) => each.hasAttribute("data-shows-error"));
      setErrors(reasons(failure, fields.map((each) => /** @type {any} */ (each).name)));
    } finally {
      setBusy(false);
    }
  };
  const onInput = () => {
    setDone(false);
    guard.onTyped();
  };
  return html`<form ref=${element} onSubmit=${onSend} onInput=${onInput}>
    <${Errors.Provider} value=${errors.fields}>${children}<//>
    <p class="error" role="alert">${errors.rest}</p>
    ${isBusy && html`<${Pause} />`}
    ${done && html`<p class="done" role="status">${isDone ? done : ""}</p>`}
    <div class="actions">
      ${more}
      <button class=${isDangerous ? "danger" : "primary"} disabled=${isBusy || isDisabled}>${submit}</button>
    </div>
  </form>`;
}

/**
 * @param {{label: string, name: string, type?: string, autocomplete?: string, isOptional?: boolean,
 *   minLength?: number, maxLength?: number, value?: string, hint?: string, rows?: number,
 *   inputRef?: any, pattern?: string, min?: string, max?: string}} properties
 *   `value` is the first one; `rows` makes a field of several lines.
 */
export function Field(properties) {
  const {label, name, type = "text", autocomplete, isOptional, hint, rows, value, inputRef} = properties;
  const error = useContext(Errors)[name] ?? "";
  const id = useId();
  const more = {
    name,
    "data-shows-error": "",
    autocomplete: autocomplete ?? "off",
    required: !isOptional,
    minlength: properties.minLength,
    maxlength: properties.maxLength,
    pattern: properties.pattern,
    min: properties.min,
    max: properties.max,
    defaultValue: value,
    ref: inputRef,
    "aria-invalid": error ? "true" : undefined,
    "aria-describedby": hint || error ? id : undefined,
  };
  return html`<div class="field">
    <label
      ><span class="label">${label}</span>
      ${rows
        ? html`<textarea rows=${rows} ...${more}></textarea>`
        : html`<input type=${type} ...${more} />`}
    </label>
    <span id=${id} class=${error ? "error" : "muted"}>${error || hint}</span>
  </div>`;
}

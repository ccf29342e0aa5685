/** Fields of settings: what is typed stays until it is saved, also when the server refuses it. */

import {useEffect, useRef, useState} from "../../vendor/hooks.js";
import {locale, t} from "../../lang/translate.js";
import {html} from "../html.js";
import {Pause} from "../pause.js";
import {useTask} from "../task.js";
import {useUnsavedForm} from "../unsaved.js";

/**
 * @param {{label: string, name: string, value?: string, about?: string, maxLength?: number,
 *   isOptional?: boolean, isDisabled?: boolean, placeholder?: string, isLong?: boolean}} properties
 */
export function TextField({label, name, value = "", about, maxLength, isOptional, isDisabled, placeholder, isLong}) {
  const shared = {
    name,
    maxlength: maxLength,
    required: !isOptional,
    disabled: isDisabled,
    placeholder,
    defaultValue: value,
    autocomplete: "off",
  };
  return html`<label class="field"
    >${label}
    ${isLong ? html`<textarea rows="3" ...${shared}></textarea>` : html`<input ...${shared} />`}
    ${about && html`<small>${about}</small>`}
  </label>`;
}

/**
 * @param {{label: string, name?: string, value: string, options: [string, string][], about?: string,
 *   isDisabled?: boolean, onChange?: (value: string) => void}} properties
 */
export const SelectField = ({label, name, value, options, about, isDisabled, onChange}) =>
  html`<label class="field"
    >${label}
    <select
      name=${name}
      disabled=${isDisabled}
      onChange=${onChange && ((/** @type {any} */ event) => onChange(event.target.value))}
    >
      ${options.map(
        ([id, text]) => html`<option key=${id} value=${id} selected=${id === value}>${text}</option>`,
      )}
    </select>
    ${about && html`<small>${about}</small>`}
  </label>`;

/**
 * @param {{label: string, name: string, isChecked: boolean, about?: string, isDisabled?: boolean,
 *   onChange?: (isChecked: boolean) => void}} properties
 */
export const CheckField = ({label, name, isChecked, about, isDisabled, onChange}) =>
  html`<label class="check">
    <input
      type="checkbox"
      name=${name}
      defaultChecked=${isChecked}
      disabled=${isDisabled}
      onChange=${onChange && ((/** @type {any} */ event) => onChange(event.target.checked))}
    />
    <span>${label}${about && html`<small>${about}</small>`}</span>
  </label>`;

/**
 * A form of settings. It says when they are saved, until something changes again. With `isReset` it
 * is empty after that, for the next one.
 * @param {{onSave: (values: Record<string, string>) => Promise<unknown>, isDisabled?: boolean,
 *   isReset?: boolean, isChanged?: boolean, children?: any, submit?: string}} properties
 *   `isChanged`: there are changes that are not in its fields.
 */
export function SettingsForm({onSave, isDisabled, isReset, isChanged = false, children, submit}) {
  const {run, error, isBusy} = useTask();
  const [isSaved, setSaved] = useState(false);
  const element = useRef(/** @type {any} */ (null));
  const guard = useUnsavedForm(element, isChanged);
  const onSubmit = async (/** @type {any} */ event) => {
    event.preventDefault();
    const form = event.currentTarget;
    const values = /** @type {any} */ (Object.fromEntries(new FormData(form)));
    const isDone = await run(() => onSave(values));
    if (isDone && isReset) form.reset();
    if (isDone) guard.onSaved();
    setSaved(isDone);
  };
  const onInput = () => {
    setSaved(false);
    guard.onTyped();
  };
  return html`<form ref=${element} onSubmit=${onSubmit} onInput=${onInput}>
    ${children}
    <div class="actions save">
      <p class="error" role="alert">${error}</p>
      <p class="muted" role="status">${isSaved ? t("saved") : ""}</p>
      ${isBusy && html`<${Pause} />`}
      <button class="primary" disabled=${isBusy || isDisabled}>${submit ?? t("save")}</button>
    </div>
  </form>`;
}

/**
 * What stands for something that is being loaded, or could not be.
 * @param {{error: string, reload: () => void}} properties
 */
export const Loading = ({error, reload}) =>
  error
    ? html`<p class="error" role="alert">
        ${error} <button type="button" onClick=${reload}>${t("retry")}</button>
      </p>`
    : html`<p class="muted" role="status">${t("loading")}</p>`;

/**
 * A field to filter a list; what is typed counts after a short pause.
 * @param {{label: string, onChange: (text: string) => void}} properties
 */
export function Search({label, onChange}) {
  const [text, setText] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => onChange(text.trim()), 250);
    return () => clearTimeout(timer);
  }, [text]);
  return html`<label class="field"
    >${label}
    <input type="search" value=${text} onInput=${(/** @type {any} */ event) => setText(event.target.value)} autocomplete="off" />
  </label>`;
}

/** A time, in the language of the page. @param {{at: string}} properties */
export function When({at}) {
  const moment = new Date(at);
  const text = moment.toLocaleString(locale(), {
    dateStyle: "medium",
    timeStyle: "short",
  });
  return html`<time datetime=${at}>${text}</time>`;
}

/** The fields of forms of applications: texts, selects, choices, files. */

import {useId, useRef, useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {guildOfChannel} from "../../state/select.js";
import {state} from "../../state/store.js";
import {html} from "../html.js";
import {CHECKBOX, CHECKBOX_GROUP, FILE_UPLOAD, RADIO_GROUP, TEXT_INPUT, boundsOf, isRequired, sizeOf} from "./modal_values.js";
import {optionsOf} from "./select_component.js";
import {useMembers} from "./use_members.js";

const PARAGRAPH = 2;
const STRING_SELECT = 3;
const [USERS, ROLES, MENTIONABLES] = [5, 6, 7];
/** Options that are shown at once, beside those that are chosen; a search finds the others. */
const SHOWN = 10;

/**
 * @typedef {object} Properties
 * @property {any} component
 * @property {string} label
 * @property {string} [description]
 * @property {string} channel
 * @property {any} value
 * @property {string} problem
 * @property {(value: any) => void} onChange
 */

/** @param {Properties} properties */
export function ModalField(properties) {
  const {component, value, onChange} = properties;
  switch (component.type) {
    case TEXT_INPUT:
      return html`<${TextInput} ...${properties} />`;
    case CHECKBOX:
      return html`<${Named} ...${properties} isCheck=${true} control=${(/** @type {any} */ more) =>
        html`<input type="checkbox" checked=${value} ...${more} onChange=${(/** @type {any} */ event) => onChange(event.target.checked)} />`}
      />`;
    case FILE_UPLOAD:
      return html`<${FileInput} ...${properties} />`;
    case RADIO_GROUP:
    case CHECKBOX_GROUP:
      return html`<${Options} ...${properties} options=${component.options} />`;
    case STRING_SELECT:
      if (boundsOf(component).most > 1) return html`<${Options} ...${properties} options=${component.options} />`;
      return html`<${OneOfTexts} ...${properties} />`;
    default:
      return html`<${Entities} ...${properties} />`;
  }
}

/** A single control with its label, its description and what is wrong. @param {Properties & {control: (more: any) => any, hint?: string, isCheck?: boolean}} properties */
function Named({component, label, description, problem, control, hint, isCheck}) {
  const id = useId();
  const more = {
    "aria-describedby": id,
    "aria-invalid": problem ? "true" : undefined,
    "aria-required": isRequired(component) ? "true" : undefined,
  };
  const text = html`<span class="label">${label}${isRequired(component) && html` <${Required} />`}</span>`;
  return html`<div class="field">
    <label class=${isCheck ? "check" : ""}>${isCheck ? html`${control(more)} ${text}` : html`${text}${control(more)}`}</label>
    <span id=${id} class=${problem ? "error" : "muted"}>${problem || [description, hint].filter(Boolean).join(" · ")}</span>
  </div>`;
}

/** The mark of a field that must be filled in; screen readers know it from `aria-required`. */
const Required = () => html`<span class="muted" aria-hidden="true">*</span>`;

/** @param {Properties} properties */
function TextInput(properties) {
  const {component, value, onChange} = properties;
  const {most} = boundsOf(component);
  // Not `maxlength`: browsers count an emoji twice, and cut what is pasted without a word.
  const hint = component.max_length ? t("modal-count", {count: sizeOf(value), most}) : "";
  const onInput = (/** @type {any} */ event) => onChange(event.target.value);
  const control = (/** @type {any} */ more) =>
    component.style === PARAGRAPH
      ? html`<textarea rows="4" value=${value} placeholder=${component.placeholder} ...${more} onInput=${onInput}></textarea>`
      : html`<input value=${value} placeholder=${component.placeholder} autocomplete="off" ...${more} onInput=${onInput} />`;
  return html`<${Named} ...${properties} hint=${hint} control=${control} />`;
}

/** @param {Properties} properties */
function FileInput(properties) {
  const {component, value, onChange} = properties;
  const {most} = boundsOf(component);
  const control = (/** @type {any} */ more) =>
    html`<input type="file" multiple=${most > 1} ...${more} onChange=${(/** @type {any} */ event) => onChange([...event.target.files])} />`;
  const hint = value.length > 1 ? value.map((/** @type {File} */ each) => each.name).join(", ") : "";
  return html`<${Named} ...${properties} hint=${hint} control=${control} />`;
}

/** @param {Properties} properties */
function OneOfTexts(properties) {
  const {component, value, onChange} = properties;
  const control = (/** @type {any} */ more) => html`<select
    value=${value[0] ?? ""}
    ...${more}
    onChange=${(/** @type {any} */ event) => onChange(event.target.value === "" ? [] : [event.target.value])}
  >
    <option value="">${component.placeholder ?? t("choose")}</option>
    ${component.options.map((/** @type {any} */ each) => html`<option key=${each.value} value=${each.value}>${each.label}</option>`)}
  </select>`;
  const chosen = component.options.find((/** @type {any} */ each) => each.value === value[0]);
  return html`<${Named} ...${properties} hint=${chosen?.description ?? ""} control=${control} />`;
}

/** @param {Properties & {options: import("./select_component.js").Option[], search?: any}} properties */
function Options({component, label, description, problem, value, onChange, options, search}) {
  const id = useId();
  const {least, most} = boundsOf(component);
  const isSingle = component.type === RADIO_GROUP;
  const chosen = /** @type {string[]} */ (isSingle ? [value].filter(Boolean) : value);
  const toggle = (/** @type {string} */ each) => {
    const isChosen = chosen.includes(each);
    if (isSingle) onChange(isChosen ? "" : each);
    else if (isChosen) onChange(chosen.filter((one) => one !== each));
    else onChange(most === 1 ? [each] : [...chosen, each]);
  };
  const count = !isSingle && most > 1 ? t("choose-between", {least, most}) : "";
  const about = [component.placeholder, description, count].filter(Boolean).join(" · ");
  return html`<fieldset class="choices" aria-describedby=${id}>
    <legend class="label">${label}${isRequired(component) && html` <${Required} />`}</legend>
    ${search}
    ${options.map(
      (each) => html`<label key=${each.value}>
        <input
          type=${isSingle && isRequired(component) ? "radio" : "checkbox"}
          name=${id}
          checked=${chosen.includes(each.value)}
          aria-invalid=${problem ? "true" : undefined}
          onChange=${() => toggle(each.value)}
        />
        <span>${each.label} ${each.description && html`<small class="muted">${each.description}</small>`}</span>
      </label>`,
    )}
    <span id=${id} class=${problem ? "error" : "muted"}>${problem || about}</span>
  </fieldset>`;
}

/** Users, roles or channels: those that the page knows, and members whom the server finds. @param {Properties} properties */
function Entities(properties) {
  const {component, channel, value} = properties;
  const [text, setText] = useState("");
  const labels = useRef(/** @type {Map<string, string>} */ (new Map()));
  const hasUsers = component.type === USERS || component.type === MENTIONABLES;
  const users = useMembers(channel, guildOfChannel(state.peek(), channel)?.id, hasUsers ? text : null);
  const others = component.type === USERS ? [] : optionsOf({...component, type: hasUsers ? ROLES : component.type}, channel);
  const matching = [
    ...users.map((each) => ({value: each.id, label: `@${each.nick || each.global_name || each.username}`})),
    ...others.filter((each) => each.label.toLowerCase().includes(text.toLowerCase())),
  ];
  for (const each of matching) labels.current.set(each.value, each.label);
  const chosen = value.map((/** @type {string} */ id) => ({value: id, label: labels.current.get(id) ?? id}));
  const unchosen = matching.filter((each) => !value.includes(each.value)).slice(0, SHOWN);
  const search = html`<input
    type="search"
    aria-label=${t("modal-search", {name: properties.label})}
    placeholder=${t("search")}
    value=${text}
    autocomplete="off"
    onInput=${(/** @type {any} */ event) => setText(event.target.value.trim().replace(/^[@#]/, ""))}
    onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === "Enter" && event.preventDefault()}
  />`;
  return html`<${Options} ...${properties} options=${[...chosen, ...unchosen]} search=${search} />`;
}

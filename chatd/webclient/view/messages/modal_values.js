/** The values of a form of an application: how they begin, what is wrong with them, what is sent. Pure. */

import {t} from "../../lang/translate.js";
import {ApiError} from "../../net/errors.js";
import {all} from "../../net/reasons.js";

/** Rule: Discord docs, Component Types. */
export const [TEXT_INPUT, FILE_UPLOAD, RADIO_GROUP, CHECKBOX_GROUP, CHECKBOX] = [4, 19, 21, 22, 23];
/** Maximum characters of a text input without a limit of its own. */
const MAX_TEXT = 4000;

/**
 * @typedef {object} Field
 * @property {any} component
 * @property {string} label
 * @property {string} [description]
 *
 * @typedef {string | boolean | string[] | File[]} Value By the type of the component.
 * @typedef {Record<string, Value>} Values By the `custom_id` of the component.
 */

/** Return the field of a component at the top of a form: a label, or a row with a text input. @param {any} part @returns {Field | null} */
export function fieldOf(part) {
  if (part.component) return {component: part.component, label: part.label, description: part.description};
  const [input] = part.components ?? [];
  return input ? {component: input, label: input.label} : null;
}

/** @param {any} modal @returns {Field[]} */
export const fieldsOf = (modal) => modal.components.map(fieldOf).filter(Boolean);

/** @param {any} modal @returns {Values} */
export const initialValues = (modal) =>
  Object.fromEntries(fieldsOf(modal).map(({component}) => [component.custom_id, initialValue(component)]));

/** @param {any} component @returns {Value} */
function initialValue({type, value, default: isChecked, options, default_values: given}) {
  if (type === TEXT_INPUT) return value ?? "";
  if (type === CHECKBOX) return isChecked === true;
  const chosen = (options ?? []).filter((/** @type {any} */ each) => each.default);
  if (type === RADIO_GROUP) return chosen[0]?.value ?? "";
  return options ? chosen.map((/** @type {any} */ each) => each.value) : (given ?? []).map((/** @type {any} */ each) => each.id);
}

/** Return how many characters or values a field takes. @param {any} component @returns {{least: number, most: number}} */
export function boundsOf({type, min_length, max_length, min_values, max_values, options}) {
  if (type === TEXT_INPUT) return {least: min_length ?? 0, most: max_length ?? MAX_TEXT};
  return {least: min_values ?? 1, most: max_values ?? (type === CHECKBOX_GROUP ? options.length : 1)};
}

/** Return the number of characters, as the server counts them, or of values. @param {any} value */
export const sizeOf = (value) => [...value].length;

/** Return whether a form can be sent only with something in the field. @param {any} component */
export const isRequired = (component) =>
  component.type !== CHECKBOX &&
  component.required !== false &&
  (component.type === TEXT_INPUT || component.type === RADIO_GROUP || boundsOf(component).least > 0);

/** Return what is wrong with a value; nothing if it can be sent. @param {any} component @param {Value} value */
function problemOf(component, value) {
  if (component.type === CHECKBOX) return "";
  const size = sizeOf(value);
  if (size === 0) return isRequired(component) ? t("error-required") : "";
  if (component.type === RADIO_GROUP) return "";
  const {least, most} = boundsOf(component);
  if (least <= size && size <= most) return "";
  return t(component.type === TEXT_INPUT ? "modal-length" : "modal-choose", {least, most});
}

/** Return what is wrong with the values, by field. @param {any} modal @param {Values} values */
export function problemsOf(modal, values) {
  const found = fieldsOf(modal).map(({component: each}) => [each.custom_id, problemOf(each, values[each.custom_id])]);
  return Object.fromEntries(found.filter(([, text]) => text !== ""));
}

/**
 * Return the components and the files to submit.
 * @param {any} modal @param {Values} values @returns {{components: any[], files: File[]}}
 */
export function submission(modal, values) {
  /** @type {File[]} */
  const files = [];
  const filled = (/** @type {any} */ {type, custom_id}) => {
    const value = values[custom_id];
    if (type === FILE_UPLOAD) {
      const numbers = /** @type {File[]} */ (value).map((file) => String(files.push(file) - 1));
      return {type, custom_id, values: numbers};
    }
    if (type === RADIO_GROUP) return {type, custom_id, value: value || null};
    return {type, custom_id, [Array.isArray(value) ? "values" : "value"]: value};
  };
  const components = modal.components.map((/** @type {any} */ part) => {
    const field = fieldOf(part);
    if (field === null) return {type: part.type};
    const own = filled(field.component);
    return part.component ? {type: part.type, component: own} : {type: part.type, components: [own]};
  });
  return {components, files};
}

/** Return what the server has refused, by field. @param {unknown} error @param {any} modal @returns {Record<string, string>} */
export function refusedFields(error, modal) {
  const errors = error instanceof ApiError ? (error.errors.data?.components ?? {}) : {};
  const found = modal.components.map((/** @type {any} */ part, /** @type {number} */ at) => [
    fieldOf(part)?.component.custom_id,
    all(errors[at]).join(" "),
  ]);
  return Object.fromEntries(found.filter((/** @type {string[]} */ [id, text]) => id !== undefined && text !== ""));
}

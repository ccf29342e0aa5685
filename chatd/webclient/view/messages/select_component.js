/** A select of a message: of given options, or of users, roles and channels. */

import {useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {guildOfChannel, nameOf, titleOf} from "../../state/select.js";
import {state} from "../../state/store.js";
import {html} from "../html.js";

/** Members that a select offers: those that the page has met. */
const MAX_OPTIONS = 200;
const [STRINGS, USERS, ROLES, BOTH, CHANNELS] = [3, 5, 6, 7, 8];

/**
 * @param {{component: any, message: any, isBusy: boolean, onChoose: (values: string[]) => void}} properties
 */
export function Select({component, message, isBusy, onChoose}) {
  const {placeholder, disabled, min_values: least = 1, max_values: most = 1} = component;
  const options = optionsOf(component, message.channel_id).slice(0, MAX_OPTIONS);
  const [chosen, setChosen] = useState(() => options.filter((each) => each.isDefault).map((each) => each.value));
  const label = placeholder ?? t("choose");
  if (most === 1) {
    return html`<select
      aria-label=${label}
      disabled=${disabled || isBusy}
      value=${chosen[0] ?? ""}
      onChange=${(/** @type {any} */ event) => {
        setChosen([event.target.value]);
        onChoose(event.target.value === "" ? [] : [event.target.value]);
      }}
    >
      <option value="" disabled=${least > 0}>${label}</option>
      ${options.map((each) => html`<option key=${each.value} value=${each.value}>${each.label}</option>`)}
    </select>`;
  }
  const toggle = (/** @type {string} */ value) =>
    setChosen((present) => (present.includes(value) ? present.filter((each) => each !== value) : [...present, value]));
  const isComplete = chosen.length >= least && chosen.length <= most;
  return html`<fieldset class="choices" disabled=${disabled || isBusy}>
    <legend><bdi>${label}</bdi> <small class="muted">${t("choose-between", {least, most})}</small></legend>
    ${options.map(
      (each) => html`<label key=${each.value}>
        <input type="checkbox" checked=${chosen.includes(each.value)} onChange=${() => toggle(each.value)} />
        <bdi>${each.label}</bdi> ${each.description && html`<small class="muted">${each.description}</small>`}
      </label>`,
    )}
    <button type="button" disabled=${!isComplete} onClick=${() => onChoose(chosen)}>${t("send")}</button>
  </fieldset>`;
}

/** @typedef {{value: string, label: string, description?: string, isDefault?: boolean}} Option */

/**
 * Return the options of a select that is used in a channel.
 * @param {any} component @param {string} channel @returns {Option[]}
 */
export function optionsOf(component, channel) {
  if (component.type === STRINGS) {
    return component.options.map((/** @type {any} */ each) => ({
      value: each.value,
      label: each.label,
      description: each.description,
      isDefault: each.default,
    }));
  }
  const present = state.peek();
  const guild = guildOfChannel(present, channel);
  const recipients = present.privates[channel]?.recipients ?? [];
  /** @type {Option[]} */
  const found = [];
  if (component.type === USERS || component.type === BOTH) {
    const users = guild ? Object.values(guild.members).map((each) => each.user) : [...recipients, present.me];
    found.push(...users.map((user) => ({value: user.id, label: `@${nameOf(present, user, guild?.id)}`})));
  }
  if (guild && (component.type === ROLES || component.type === BOTH)) {
    found.push(...Object.values(guild.roles).map((each) => ({value: each.id, label: `@${each.name}`})));
  }
  if (guild && component.type === CHANNELS) {
    const types = component.channel_types ?? [];
    const channels = Object.values(guild.channels).filter((each) => types.length === 0 || types.includes(each.type));
    found.push(...channels.map((each) => ({value: each.id, label: `#${titleOf(present, each)}`})));
  }
  return found.sort((a, b) => a.label.localeCompare(b.label));
}

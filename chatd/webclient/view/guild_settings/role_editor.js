/** One role: its name, colour and permissions; deleting it and giving it to members. */

import {useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {assignRole, changeRole, deleteRole} from "../../net/guild_actions.js";
import {BITS, GROUPS, textId} from "../../state/permission_list.js";
import {ADMINISTRATOR} from "../../state/permissions.js";
import {confirm} from "../confirm.js";
import {html} from "../html.js";
import {useTask} from "../task.js";
import {CheckField, SettingsForm, TextField} from "./fields.js";
import {MemberPicker} from "./members.js";

/**
 * @param {{guild: import("../../state/shape.js").Guild, role: any, granted: bigint, isBelow: boolean,
 *   onStep: (by: -1 | 1) => void}} properties `isBelow`: the user may change the role.
 */
export function RoleEditor({guild, role, granted, isBelow, onStep}) {
  const isEveryone = role.id === guild.id;
  const [bits, setBits] = useState(/** @type {bigint | null} */ (null));
  const [hasColor, setColor] = useState(role.color !== 0);
  const permissions = bits ?? BigInt(role.permissions);
  const isChanged = permissions !== BigInt(role.permissions) || hasColor !== (role.color !== 0);
  const save = async (/** @type {any} */ values) => {
    const change = {permissions: permissions.toString()};
    if (!isEveryone) {
      Object.assign(change, {
        name: values.name,
        color: hasColor ? parseInt((values.color ?? "#000000").slice(1), 16) : 0,
        hoist: values.hoist === "on",
        mentionable: values.mentionable === "on",
      });
    }
    await changeRole(guild.id, role.id, change);
    setBits(null);
  };
  return html`<div class="role-editor" role="group" aria-label=${role.name}>
    <h3>${role.name}</h3>
    ${!isBelow && html`<p class="notice" role="note">${t("role-above")}</p>`}
    ${role.managed && html`<p class="notice" role="note">${t("role-managed")}</p>`}
    <${SettingsForm} onSave=${save} isDisabled=${!isBelow} isChanged=${isChanged}>
      ${isEveryone
        ? html`<p class="muted">${t("everyone-about")}</p>`
        : html`<${TextField} label=${t("role-name")} name="name" value=${role.name} maxLength=${100} isDisabled=${!isBelow} />
            <div class="color-field">
              <label class="check">
                <input type="checkbox" checked=${hasColor} disabled=${!isBelow} onChange=${() => setColor(!hasColor)} />
                <span>${t("role-color")}</span>
              </label>
              <input
                type="color"
                name="color"
                aria-label=${t("role-color-value")}
                hidden=${!hasColor}
                disabled=${!isBelow}
                defaultValue=${`#${(role.color || 0x3b82c4).toString(16).padStart(6, "0")}`}
              />
            </div>
            <${CheckField} label=${t("hoist")} about=${t("hoist-about")} name="hoist" isChecked=${role.hoist} isDisabled=${!isBelow} />
            <${CheckField} label=${t("mentionable")} name="mentionable" isChecked=${role.mentionable} isDisabled=${!isBelow} />`}
      <${Permissions}
        value=${permissions}
        granted=${granted}
        isDisabled=${!isBelow}
        onChange=${setBits}
      />
    <//>
    ${!isEveryone && isBelow && html`<${More} guild=${guild} role=${role} onStep=${onStep} />`}
  </div>`;
}

/**
 * @param {{value: bigint, granted: bigint, isDisabled: boolean, onChange: (value: bigint) => void}} properties
 */
function Permissions({value, granted, isDisabled, onChange}) {
  const isAll = (value & ADMINISTRATOR) !== 0n;
  return GROUPS.map(
    ([group, names]) => html`<details class="permissions" key=${group} open=${group !== "unused"}>
      <summary>${t(`permission-group-${group}`)}</summary>
      ${names.map((name) => {
        const bit = BITS[name];
        const isOwn = (granted & bit) !== 0n;
        const about = t(`${textId(name)}-about`);
        const why = !isOwn && !isDisabled ? t("permission-not-own") : "";
        return html`<label class="check" key=${name}>
          <input
            type="checkbox"
            checked=${(value & bit) !== 0n}
            disabled=${isDisabled || !isOwn}
            onChange=${() => onChange(value ^ bit)}
          />
          <span
            >${t(textId(name))}
            ${group !== "unused" && html`<small>${about}</small>`}
            ${why && html`<small class="why">${why}</small>`}
            ${isAll && bit !== ADMINISTRATOR && !(value & bit) && html`<small class="why">${t("given-by-administrator")}</small>`}
          </span>
        </label>`;
      })}
    </details>`,
  );
}

/** @param {{guild: import("../../state/shape.js").Guild, role: any, onStep: (by: -1 | 1) => void}} properties */
function More({guild, role, onStep}) {
  const task = useTask();
  const [given, setGiven] = useState("");
  const give = (/** @type {any} */ user) =>
    task.run(async () => {
      setGiven("");
      await assignRole(guild.id, user.id, role.id, true);
      setGiven(t("role-given", {role: role.name, name: user.username}));
    });
  const remove = () =>
    confirm({
      title: t("delete-role"),
      text: t("delete-role-about", {name: role.name}),
      isDangerous: true,
      submit: t("delete"),
      run: () => deleteRole(guild.id, role.id),
    });
  return html`<div class="role-more">
    ${!role.managed &&
    html`<h3>${t("give-role")}</h3>
      <${MemberPicker} guild=${guild.id} label=${t("search-members")} action=${t("give-role")} onChoose=${give} isBusy=${task.isBusy} />
      <p role="status" class="muted">${given}</p>
      ${task.error && html`<p class="error" role="alert">${task.error}</p>`}`}
    <div class="actions">
      <button type="button" onClick=${() => onStep(-1)}>${t("move-up")}</button>
      <button type="button" onClick=${() => onStep(1)}>${t("move-down")}</button>
      ${!role.managed && html`<button type="button" class="dangerous" onClick=${remove}>${t("delete-role")}</button>`}
    </div>
  </div>`;
}

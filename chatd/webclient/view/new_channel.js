/** Creating a channel or a category, also a private one. */

import {useState} from "../vendor/hooks.js";
import {t} from "../lang/translate.js";
import {createChannel} from "../net/guild_actions.js";
import {sortedRoles} from "../state/channel_order.js";
import {
  ADMINISTRATOR,
  MANAGE_ROLES,
  VIEW_CHANNEL,
  permissionsOf,
} from "../state/permissions.js";
import {sections} from "../state/select.js";
import {state, until} from "../state/store.js";
import {closeDialog} from "./dialog.js";
import {Field, Form} from "./form.js";
import {html} from "./html.js";
import {go, pathOf} from "./route.js";
import {useFocus, useSelect} from "./use.js";

const TEXT = 0;
const CATEGORY = 4;
const ANNOUNCEMENT = 5;

/** @param {{guild: string, parent?: string, isCategory?: boolean}} properties */
export function NewChannel({guild, parent, isCategory = false}) {
  const first = useFocus();
  const [isPrivate, setPrivate] = useState(false);
  const [roles, setRoles] = useState(/** @type {string[]} */ ([]));
  const present = useSelect((whole) => whole.guilds[guild]);
  if (present === undefined) return null;
  const me = state.value.me?.id;
  const granted = permissionsOf(present, me, parent && present.channels[parent]);
  const mayHide = (granted & MANAGE_ROLES) !== 0n;
  const others = sortedRoles(present).filter((each) => each.id !== guild);
  const create = async (/** @type {Record<string, string>} */ {name, type, parent: chosen}) => {
    const channel = await createChannel(guild, {
      name,
      type: isCategory ? CATEGORY : Number(type),
      ...(isCategory ? {} : {parent_id: chosen || null}),
      ...(isPrivate ? {permission_overwrites: privateFor(present, me, roles)} : {}),
    });
    await until((now) => channel.id in (now.guilds[guild]?.channels ?? {}));
    closeDialog();
    if (!isCategory) go(pathOf(guild, channel.id));
  };
  const toggle = (/** @type {string} */ role) =>
    setRoles(roles.includes(role) ? roles.filter((each) => each !== role) : [...roles, role]);
  return html`<${Form} onSubmit=${create} submit=${t("create")}>
    ${!isCategory &&
    html`<fieldset class="choices">
      <legend>${t("channel-type")}</legend>
      <label><input type="radio" name="type" value=${TEXT} defaultChecked=${true} />${t("type-text")}</label>
      <label><input type="radio" name="type" value=${ANNOUNCEMENT} />${t("type-announcement")}</label>
    </fieldset>`}
    <${Field}
      label=${t(isCategory ? "category-name" : "channel-name")}
      name="name"
      maxLength=${100}
      inputRef=${first}
    />
    ${!isCategory &&
    html`<label class="field"
      >${t("category")}
      <select name="parent">
        ${sections(present).map(
          ({category}) =>
            html`<option
              key=${category?.id ?? ""}
              value=${category?.id ?? ""}
              selected=${(category?.id ?? "") === (parent ?? "")}
            >
              ${category?.name ?? t("no-category")}
            </option>`,
        )}
      </select>
    </label>`}
    ${mayHide &&
    html`<label class="check">
        <input type="checkbox" checked=${isPrivate} onChange=${() => setPrivate(!isPrivate)} />
        <span>${t("private-channel")}<small>${t("private-channel-about")}</small></span>
      </label>
      ${isPrivate &&
      html`<fieldset class="choices scrolling">
        <legend>${t("roles-that-see")}</legend>
        ${others.length === 0 && html`<p class="muted">${t("no-roles-private")}</p>`}
        ${others.map(
          (role) => html`<label key=${role.id}>
            <input type="checkbox" checked=${roles.includes(role.id)} onChange=${() => toggle(role.id)} />
            <span class="name">${role.name}</span>
          </label>`,
        )}
      </fieldset>`}`}
  <//>`;
}

/**
 * Return the overwrites of a channel that only some roles see. A user without one of them, who is
 * no administrator, gets access by name: it could not see its own channel otherwise.
 * @param {import("../state/shape.js").Guild} guild @param {string} me @param {string[]} roles
 */
export function privateFor(guild, me, roles) {
  const allow = VIEW_CHANNEL.toString();
  const own = guild.members[me]?.roles ?? [];
  const isIn =
    (permissionsOf(guild, me) & ADMINISTRATOR) !== 0n || own.some((/** @type {string} */ each) => roles.includes(each));
  return [
    {id: guild.id, type: 0, allow: "0", deny: allow},
    ...roles.map((id) => ({id, type: 0, allow, deny: "0"})),
    ...(isIn ? [] : [{id: me, type: 1, allow, deny: "0"}]),
  ];
}

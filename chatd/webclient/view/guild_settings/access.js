/** Who may do what in a channel: its overwrites, and what results for one role or member. */

import {useRef, useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {deleteOverwrite, setOverwrite} from "../../net/guild_actions.js";
import {sortedRoles} from "../../state/channel_order.js";
import {BITS, GROUPS, OF_GUILDS, textId} from "../../state/permission_list.js";
import {ADMINISTRATOR, permissionsOf} from "../../state/permissions.js";
import {nameOf} from "../../state/select.js";
import {state} from "../../state/store.js";
import {html} from "../html.js";
import {Pause} from "../pause.js";
import {useTask} from "../task.js";
import {useUnsaved} from "../unsaved.js";
import {SelectField} from "./fields.js";
import {MemberPicker} from "./members.js";
import {ViewAs, useViewAs} from "./view_as.js";

const ROLE = 0;
const MEMBER = 1;

/**
 * @typedef {{id: string, type: number, allow: bigint, deny: bigint}} Overwrite
 * @param {{guild: import("../../state/shape.js").Guild, channel: any, me: string}} properties
 */
export function Access({guild, channel, me}) {
  const [drafts, setDrafts] = useState(/** @type {Record<string, Overwrite | null>} */ ({}));
  const task = useTask();
  const stored = Object.fromEntries(channel.permission_overwrites.map((/** @type {any} */ each) => [each.id, parsed(each)]));
  const everyone = {id: guild.id, type: ROLE, allow: 0n, deny: 0n};
  /** @type {Record<string, Overwrite | null>} */
  const merged = {[guild.id]: everyone, ...stored, ...drafts};
  const shown = /** @type {Overwrite[]} */ (Object.values(merged).filter((each) => each !== null));
  const changed = Object.keys(drafts).filter((id) => !isEqual(stored[id], drafts[id] ?? undefined));
  const draft = {
    ...channel,
    permission_overwrites: shown.map((each) => ({...each, allow: String(each.allow), deny: String(each.deny)})),
  };
  const view = useViewAs(guild, draft);
  const bar = useRef(/** @type {any} */ (null));
  useUnsaved(bar, changed.length > 0);
  const granted = permissionsOf(guild, me, channel);
  const set = (/** @type {Overwrite} */ overwrite, /** @type {bigint} */ bit, /** @type {string} */ value) =>
    setDrafts({
      ...drafts,
      [overwrite.id]: {
        ...overwrite,
        allow: value === "allow" ? overwrite.allow | bit : overwrite.allow & ~bit,
        deny: value === "deny" ? overwrite.deny | bit : overwrite.deny & ~bit,
      },
    });
  const add = (/** @type {string} */ id, /** @type {number} */ type) => {
    if (!merged[id]) setDrafts({...drafts, [id]: {id, type, allow: 0n, deny: 0n}});
  };
  const save = () =>
    task.run(async () => {
      for (const id of changed) {
        const overwrite = drafts[id];
        if (overwrite === null) await deleteOverwrite(channel.id, id);
        else await setOverwrite(channel.id, {...overwrite, allow: String(overwrite.allow), deny: String(overwrite.deny)});
        setDrafts(({[id]: _, ...others}) => others);
      }
    });
  return html`<${Sync} guild=${guild} channel=${channel} />
    <p class="muted">${t("access-about")}</p>
    <${ViewAs} ...${view} guild=${guild} />
    <div class="table-frame" tabindex="0" role="region" aria-label=${t("guild-section-permissions")}>
      <table class="access">
        <thead>
          <tr>
            <th scope="col">${t("permission")}</th>
            ${shown.map(
              (each) => html`<th scope="col" key=${each.id}>
                <span class="name">${label(guild, each)}</span>
                ${each.id !== guild.id &&
                html`<button
                  type="button"
                  class="link"
                  aria-label=${t("remove-overwrite", {name: label(guild, each)})}
                  onClick=${() => setDrafts({...drafts, [each.id]: null})}
                >
                  ${t("remove")}
                </button>`}
              </th>`,
            )}
            <th scope="col">${t("result-for", {name: view.name})}</th>
          </tr>
        </thead>
        ${GROUPS.map(([group, names]) => {
          const rows = names.filter((name) => !OF_GUILDS.has(name) && group !== "unused");
          return (
            rows.length > 0 &&
            html`<tbody key=${group}>
              <tr>
                <th scope="rowgroup" class="group" colspan=${shown.length + 2}>${t(`permission-group-${group}`)}</th>
              </tr>
              ${rows.map(
                (name) => html`<tr key=${name}>
                  <th scope="row">${t(textId(name))}<small>${t(`${textId(name)}-about`)}</small></th>
                  ${shown.map(
                    (each) => html`<td key=${each.id}>
                      <${Cell}
                        label=${`${label(guild, each)}: ${t(textId(name))}`}
                        value=${each.allow & BITS[name] ? "allow" : each.deny & BITS[name] ? "deny" : "inherit"}
                        isDisabled=${(granted & (BITS[name] | ADMINISTRATOR)) === 0n}
                        onChange=${(/** @type {string} */ value) => set(each, BITS[name], value)}
                      />
                    </td>`,
                  )}
                  <td class="result" data-granted=${view.has(BITS[name])}>
                    <strong>${t(view.has(BITS[name]) ? "yes" : "no")}</strong>
                    <small>${view.why(BITS[name])}</small>
                  </td>
                </tr>`,
              )}
            </tbody>`
          );
        })}
      </table>
    </div>
    <${AddTarget} guild=${guild} known=${merged} onAdd=${add} />
    <div class="actions save" ref=${bar}>
      ${task.isBusy && html`<${Pause} />`}
      <p class="error" role="alert">${task.error}</p>
      <p class="muted" role="status">${changed.length > 0 ? t("unsaved-changes") : ""}</p>
      <button type="button" disabled=${changed.length === 0 || task.isBusy} onClick=${() => setDrafts({})}>${t("discard")}</button>
      <button type="button" class="primary" disabled=${changed.length === 0 || task.isBusy} onClick=${save}>${t("save")}</button>
    </div>`;
}

/** @param {any} each @returns {Overwrite} */
const parsed = (each) => ({...each, allow: BigInt(each.allow), deny: BigInt(each.deny)});

/** @param {Overwrite | undefined} first @param {Overwrite | undefined} second */
const isEqual = (first, second) =>
  first === second || (first !== undefined && second !== undefined && first.allow === second.allow && first.deny === second.deny);

/** @param {import("../../state/shape.js").Guild} guild @param {{id: string, type: number}} target @returns {string} */
function label(guild, {id, type}) {
  if (type === ROLE) return guild.roles[id]?.name ?? id;
  const member = guild.members[id];
  return member ? nameOf(state.value, member.user, guild.id) : id;
}

/** @param {{label: string, value: string, isDisabled: boolean, onChange: (value: string) => void}} properties */
const Cell = ({label: name, value, isDisabled, onChange}) =>
  html`<select
    class="cell"
    data-value=${value}
    aria-label=${name}
    title=${isDisabled ? t("permission-not-own") : name}
    disabled=${isDisabled}
    onChange=${(/** @type {any} */ event) => onChange(event.target.value)}
  >
    ${[
      ["inherit", `– ${t("inherit")}`],
      ["allow", `✓ ${t("allow")}`],
      ["deny", `✕ ${t("deny")}`],
    ].map(([id, text]) => html`<option key=${id} value=${id} selected=${id === value}>${text}</option>`)}
  </select>`;

/**
 * @param {{guild: import("../../state/shape.js").Guild, known: Record<string, any>,
 *   onAdd: (id: string, type: number) => void}} properties
 */
function AddTarget({guild, known, onAdd}) {
  const roles = sortedRoles(guild).filter((each) => !known[each.id]);
  return html`<details>
    <summary>${t("add-overwrite")}</summary>
    <${SelectField}
      label=${t("add-role")}
      value=""
      options=${[["", t("choose")], ...roles.map((each) => [each.id, each.name])]}
      onChange=${(/** @type {string} */ id) => id && onAdd(id, ROLE)}
    />
    <${MemberPicker} guild=${guild.id} label=${t("add-member")} action=${t("add")} onChoose=${(/** @type {any} */ user) => onAdd(user.id, MEMBER)} />
  </details>`;
}

/** Whether a channel has the overwrites of its category. @param {{guild: any, channel: any}} properties */
function Sync({guild, channel}) {
  const task = useTask();
  const category = guild.channels[channel.parent_id];
  if (category === undefined) return null;
  const text = (/** @type {any} */ each) =>
    each.permission_overwrites
      .filter((/** @type {any} */ one) => one.allow !== "0" || one.deny !== "0")
      .map((/** @type {any} */ one) => `${one.id} ${one.allow} ${one.deny}`)
      .sort()
      .join();
  const isSynchronized = text(category) === text(channel);
  const synchronize = () =>
    task.run(async () => {
      const wanted = new Set(category.permission_overwrites.map((/** @type {any} */ each) => each.id));
      for (const each of category.permission_overwrites) await setOverwrite(channel.id, each);
      for (const each of channel.permission_overwrites) {
        if (!wanted.has(each.id)) await deleteOverwrite(channel.id, each.id);
      }
    });
  return html`<p class="notice" role="note">
    ${t(isSynchronized ? "is-synchronized" : "is-not-synchronized", {name: category.name})}
    ${!isSynchronized &&
    html`<button type="button" disabled=${task.isBusy} onClick=${synchronize}>${t("synchronize")}</button>`}
    ${task.error && html`<span class="error" role="alert">${task.error}</span>`}
  </p>`;
}

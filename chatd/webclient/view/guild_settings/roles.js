/** The roles of a guild: their order, creating and choosing one. */

import {useEffect, useRef, useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {createRole, moveRoles} from "../../net/guild_actions.js";
import {roleMovesTo, sortedRoles} from "../../state/channel_order.js";
import {isAboveRole} from "../../state/permissions.js";
import {state, until} from "../../state/store.js";
import {html} from "../html.js";
import {Icon} from "../icons.js";
import {Dot} from "../profile_card.js";
import {useTask} from "../task.js";
import {leave} from "../unsaved.js";
import {RoleEditor} from "./role_editor.js";

const DRAGGED = "application/x-chatd-role";

/** @param {{guild: import("../../state/shape.js").Guild, me: string, granted: bigint}} properties */
export function Roles({guild, me, granted}) {
  const [chosen, choose] = useState("");
  const task = useTask();
  const moved = useRef("");
  useEffect(() => {
    if (moved.current === "" || document.activeElement !== document.body) return;
    /** @type {HTMLElement | null} */ (
      document.querySelector(`[data-role="${CSS.escape(moved.current)}"]`)
    )?.focus();
  });
  const roles = sortedRoles(guild);
  const others = roles.filter((each) => each.id !== guild.id);
  const role = guild.roles[chosen] ?? roles[0];
  const mayChange = (/** @type {any} */ each) => isAboveRole(guild, me, each);
  const create = () =>
    task.run(async () => {
      const made = await createRole(guild.id, {name: t("new-role-name"), permissions: "0"});
      await until((present) => made.id in (present.guilds[guild.id]?.roles ?? {}));
      choose(made.id);
    });
  const moveTo = (/** @type {string} */ id, /** @type {number} */ index) => {
    const now = state.value.guilds[guild.id];
    moved.current = id;
    task.run(async () => {
      const moves = roleMovesTo(now, id, index);
      if (moves.length > 0) await moveRoles(guild.id, moves);
    });
  };
  const step = (/** @type {string} */ id, /** @type {-1 | 1} */ by) => {
    const at = others.findIndex((each) => each.id === id);
    const next = others[at + by];
    // The place of a role that the user may not change stays as it is.
    if (next !== undefined && mayChange(next) && mayChange(others[at])) moveTo(id, by > 0 ? at + 2 : at - 1);
  };
  return html`<p class="muted">${t("roles-about")}</p>
    ${task.error && html`<p class="error" role="alert">${task.error}</p>`}
    <div class="split">
      <div>
        <button type="button" class="primary" disabled=${task.isBusy} onClick=${() => leave(create)}>${t("new-role")}</button>
        <ul class="role-list">
          ${roles.map(
            (each, at) => html`<${RoleItem}
              key=${each.id}
              role=${each}
              isEveryone=${each.id === guild.id}
              isChosen=${each.id === role.id}
              mayMove=${each.id !== guild.id && mayChange(each)}
              onChoose=${() => leave(() => choose(each.id))}
              onStep=${(/** @type {-1 | 1} */ by) => step(each.id, by)}
              onDrop=${(/** @type {string} */ id, /** @type {number} */ after) =>
                mayChange(guild.roles[id]) && moveTo(id, at + after)}
            />`,
          )}
        </ul>
      </div>
      <${RoleEditor}
        key=${role.id}
        guild=${guild}
        role=${role}
        granted=${granted}
        isBelow=${mayChange(role)}
        onStep=${(/** @type {-1 | 1} */ by) => step(role.id, by)}
      />
    </div>`;
}

/**
 * @param {{role: any, isEveryone: boolean, isChosen: boolean, mayMove: boolean, onChoose: () => void,
 *   onStep: (by: -1 | 1) => void, onDrop: (id: string, after: number) => void}} properties
 */
function RoleItem({role, isEveryone, isChosen, mayMove, onChoose, onStep, onDrop}) {
  const [side, setSide] = useState("");
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (!event.altKey || !mayMove || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
    event.preventDefault();
    onStep(event.key === "ArrowUp" ? -1 : 1);
  };
  const onDragOver = (/** @type {any} */ event) => {
    if (isEveryone || !mayMove || !event.dataTransfer.types.includes(DRAGGED)) return;
    event.preventDefault();
    const {top, height} = event.currentTarget.getBoundingClientRect();
    setSide(event.clientY < top + height / 2 ? "before" : "after");
  };
  return html`<li
    class="drop"
    draggable=${mayMove}
    data-drop=${side}
    onDragStart=${(/** @type {any} */ event) => event.dataTransfer.setData(DRAGGED, role.id)}
    onDragOver=${onDragOver}
    onDragLeave=${() => setSide("")}
    onDrop=${(/** @type {any} */ event) => {
      event.preventDefault();
      setSide("");
      const id = event.dataTransfer.getData(DRAGGED);
      if (id && id !== role.id) onDrop(id, side === "after" ? 1 : 0);
    }}
  >
    <button
      type="button"
      data-role=${role.id}
      aria-pressed=${isChosen}
      onClick=${onChoose}
      onKeyDown=${onKeyDown}
    >
      <${Dot} color=${role.color} /><span class="name">${role.name}</span>
      ${!isEveryone && !mayMove && html`<span title=${t("role-above")}><${Icon} name="lock" /></span>`}
    </button>
  </li>`;
}

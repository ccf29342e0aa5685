/** What may be done with a member: its nickname, roles, timeout; kicking and banning it. */

import {t} from "../lang/translate.js";
import {assignRole, ban, changeMember, kick} from "../net/guild_actions.js";
import {sortedRoles} from "../state/channel_order.js";
import {now} from "../state/clock.js";
import {
  ADMINISTRATOR,
  BAN_MEMBERS,
  CHANGE_NICKNAME,
  KICK_MEMBERS,
  MANAGE_NICKNAMES,
  MANAGE_ROLES,
  MODERATE_MEMBERS,
  isAboveMember,
  isAboveRole,
  permissionsOf,
} from "../state/permissions.js";
import {nameOf} from "../state/select.js";
import {state} from "../state/store.js";
import {confirm} from "./confirm.js";
import {openDialog} from "./dialog.js";
import {html} from "./html.js";
import {useTask} from "./task.js";
import {useSelect} from "./use.js";

const DAY_S = 86_400;
/** Lengths of a timeout, in seconds; the server permits 28 days. */
const TIMEOUTS = [60, 300, 600, 3600, DAY_S, 7 * DAY_S, 28 * DAY_S];
/** Ages of the messages that a ban deletes, in seconds; the server permits a week. */
const DELETED = [0, 3600, 6 * 3600, DAY_S, 3 * DAY_S, 7 * DAY_S];

/** A duration in words. @param {number} seconds */
export function duration(seconds) {
  if (seconds % DAY_S === 0) return t("days", {count: seconds / DAY_S});
  if (seconds % 3600 === 0) return t("hours", {count: seconds / 3600});
  return t("minutes", {count: seconds / 60});
}

/**
 * Return what the user may do with a member, for a menu.
 * @param {import("../state/shape.js").Guild} guild @param {any} member
 * @returns {any[]}
 */
export function memberItems(guild, member) {
  const me = state.value.me?.id;
  const {user} = member;
  const isSelf = user.id === me;
  const granted = permissionsOf(guild, me);
  const isBelow = isAboveMember(guild, me, user.id, member.roles);
  const has = (/** @type {bigint} */ permission) => (granted & permission) !== 0n;
  const isTimedOut = Date.parse(member.communication_disabled_until ?? "") > now();
  const isAdministrator = (permissionsOf(guild, user.id) & ADMINISTRATOR) !== 0n;
  const mayRename = isSelf ? has(CHANGE_NICKNAME) : isBelow && has(MANAGE_NICKNAMES);
  const mayModerate = isBelow && !isAdministrator && has(MODERATE_MEMBERS);
  return [
    mayRename && {label: t("change-nickname"), run: () => rename(guild, member, isSelf)},
    has(MANAGE_ROLES) && {
      label: t("roles"),
      run: () => openDialog(t("roles-of", {name: nameIn(guild, user)}), html`<${RolesOf} guild=${guild.id} user=${user} />`),
    },
    mayModerate && !isTimedOut && {label: t("time-out"), run: () => timeOut(guild, user)},
    mayModerate && isTimedOut && {label: t("end-timeout"), run: () => endTimeout(guild, user)},
    isBelow && has(KICK_MEMBERS) && {label: t("kick"), run: () => kickMember(guild, user), isDangerous: true},
    isBelow && has(BAN_MEMBERS) && {label: t("ban"), run: () => banUser(guild, user), isDangerous: true},
  ];
}

/** @param {any} guild @param {any} user */
const nameIn = (guild, user) => nameOf(state.value, user, guild.id);

/** @param {any} guild @param {any} member @param {boolean} isSelf */
const rename = (guild, member, isSelf) =>
  confirm({
    title: t("change-nickname"),
    text: isSelf ? t("own-nickname-about") : t("nickname-about", {name: member.user.username}),
    submit: t("save"),
    run: ({nick}) => changeMember(guild.id, isSelf ? "@me" : member.user.id, {nick: nick.trim() || null}),
    children: html`<label class="field"
      >${t("nickname")}
      <input name="nick" maxlength="32" autocomplete="off" defaultValue=${member.nick ?? ""} placeholder=${member.user.username} />
    </label>`,
  });

const Reason = () =>
  html`<label class="field"
    >${t("reason")}
    <input name="reason" maxlength="512" autocomplete="off" /><small>${t("reason-about")}</small>
  </label>`;

/** @param {any} guild @param {any} user */
const timeOut = (guild, user) =>
  confirm({
    title: t("time-out"),
    text: t("time-out-about", {name: nameIn(guild, user)}),
    submit: t("time-out"),
    run: ({seconds, reason}) => {
      const until = new Date(now() + Number(seconds) * 1000).toISOString();
      return changeMember(guild.id, user.id, {communication_disabled_until: until}, reason);
    },
    children: html`<label class="field"
        >${t("duration")}
        <select name="seconds">
          ${TIMEOUTS.map((each) => html`<option key=${each} value=${each - (each === 28 * DAY_S ? 60 : 0)}>${duration(each)}</option>`)}
        </select>
      </label>
      <${Reason} />`,
  });

/** @param {any} guild @param {any} user */
const endTimeout = (guild, user) =>
  confirm({
    title: t("end-timeout"),
    text: t("end-timeout-about", {name: nameIn(guild, user)}),
    submit: t("end-timeout"),
    run: () => changeMember(guild.id, user.id, {communication_disabled_until: null}),
  });

/** @param {any} guild @param {any} user */
const kickMember = (guild, user) =>
  confirm({
    title: t("kick"),
    text: t("kick-about", {name: nameIn(guild, user)}),
    isDangerous: true,
    submit: t("kick"),
    run: ({reason}) => kick(guild.id, user.id, reason),
    children: html`<${Reason} />`,
  });

/** @param {any} guild @param {any} user */
export const banUser = (guild, user) =>
  confirm({
    title: t("ban"),
    text: t("ban-about", {name: nameIn(guild, user)}),
    isDangerous: true,
    submit: t("ban"),
    run: ({seconds, reason}) => ban(guild.id, user.id, Number(seconds), reason),
    children: html`<label class="field"
        >${t("delete-messages")}
        <select name="seconds">
          ${DELETED.map((each) => html`<option key=${each} value=${each}>${each ? t("of-last", {duration: duration(each)}) : t("delete-none")}</option>`)}
        </select>
      </label>
      <${Reason} />`,
  });

/** @param {{guild: string, user: any}} properties */
function RolesOf({guild, user}) {
  const present = useSelect((each) => each.guilds[guild]);
  const me = useSelect((each) => each.me?.id);
  const task = useTask();
  const member = present?.members[user.id];
  if (member === undefined) return html`<p class="muted">${t("not-a-member")}</p>`;
  const roles = sortedRoles(present).filter((each) => each.id !== guild);
  const why = (/** @type {any} */ role) =>
    role.managed ? t("role-managed") : isAboveRole(present, me, role) ? "" : t("role-above");
  return html`${task.error && html`<p class="error" role="alert">${task.error}</p>`}
    <fieldset class="choices scrolling">
      <legend>${t("roles")}</legend>
      ${roles.length === 0 && html`<p class="muted">${t("no-roles")}</p>`}
      ${roles.map((role) => {
        const has = member.roles.includes(role.id);
        return html`<label key=${role.id}>
          <input
            type="checkbox"
            checked=${has}
            disabled=${task.isBusy || why(role) !== ""}
            onChange=${() => task.run(() => assignRole(guild, user.id, role.id, !has))}
          />
          <span class="name">${role.name}${why(role) && html`<small>${why(role)}</small>`}</span>
        </label>`;
      })}
    </fieldset>`;
}

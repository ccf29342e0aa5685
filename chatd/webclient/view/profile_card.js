/** The card of a user: who it is, its roles in a guild, and what can be done with it. */

import {useEffect, useRef, useState} from "../vendor/hooks.js";
import {locale, t} from "../lang/translate.js";
import {befriend, block, endRelationship, loadMember} from "../net/guild_actions.js";
import {now} from "../state/clock.js";
import {byRank} from "../state/permissions.js";
import {nameOf} from "../state/select.js";
import {Avatar} from "./avatar.js";
import {openReport} from "./complaint.js";
import {openPrivate} from "./friends.js";
import {html} from "./html.js";
import {memberItems} from "./member_actions.js";
import {closePopover} from "./popover.js";
import {useTask} from "./task.js";
import {useSelect} from "./use.js";

const FRIEND = 1;
const BLOCKED = 2;
const INCOMING = 3;
const OUTGOING = 4;
/** Milliseconds from 1970 to the first id. */
const EPOCH_MS = 1420070400000n;

/** @param {{guild?: string, user: any}} properties */
export function ProfileCard({guild, user}) {
  const first = useRef(/** @type {any} */ (null));
  const member = useSelect((state) => guild && state.guilds[guild]?.members[user.id]);
  const name = useSelect((state) => nameOf(state, user, guild));
  const status = useSelect((state) => state.presences[user.id] ?? "offline");
  const [isGone, setGone] = useState(false);
  useEffect(() => first.current?.focus(), []);
  useEffect(() => {
    if (guild && !member) loadMember(guild, user.id).catch((error) => setGone(error.status === 404));
  }, []);
  const created = new Date(Number((BigInt(user.id) >> 22n) + EPOCH_MS));
  return html`<article class="profile-card" ref=${first} tabindex="-1">
    <header>
      <${Avatar} user=${user} status=${status} />
      <div class="name">
        <strong>${name}</strong>
        <small>${user.username}${user.bot ? ` · ${t("bot")}` : ""}</small>
      </div>
    </header>
    ${isGone && html`<p class="muted">${t("not-a-member")}</p>`}
    ${guild && member && html`<${Membership} guild=${guild} member=${member} />`}
    <dl>
      <dt>${t("account-since")}</dt>
      <dd>${date(created)}</dd>
    </dl>
    <${Contact} user=${user} />
    ${guild && member && html`<${Moderation} guild=${guild} member=${member} />`}
  </article>`;
}

/** @param {Date} moment */
const date = (moment) => moment.toLocaleDateString(locale(), {dateStyle: "medium"});

/** @param {{guild: string, member: any}} properties */
function Membership({guild, member}) {
  const roles = useSelect((state) => state.guilds[guild]?.roles ?? {});
  const own = member.roles
    .map((/** @type {string} */ id) => roles[id])
    .filter(Boolean)
    .sort(byRank);
  const until = member.communication_disabled_until;
  return html`<ul class="roles" aria-label=${t("roles")}>
      ${own.map((/** @type {any} */ role) => html`<li key=${role.id}><${Dot} color=${role.color} /><span class="name">${role.name}</span></li>`)}
      ${own.length === 0 && html`<li class="muted">${t("no-own-roles")}</li>`}
    </ul>
    ${until &&
    Date.parse(until) > now() &&
    html`<p class="error">${t("timed-out-until", {time: new Date(until).toLocaleString(locale())})}</p>`}
    <dl>
      <dt>${t("member-since")}</dt>
      <dd>${date(new Date(member.joined_at))}</dd>
    </dl>`;
}

/** The colour of a role; 0 is none. @param {{color: number}} properties */
export const Dot = ({color}) =>
  html`<span
    class="dot"
    aria-hidden="true"
    style=${color ? {background: `#${color.toString(16).padStart(6, "0")}`} : {}}
  ></span>`;

/** @param {{user: any}} properties */
function Contact({user}) {
  const me = useSelect((state) => state.me?.id);
  const type = useSelect((state) => state.relationships[user.id]?.type ?? 0);
  const task = useTask();
  if (user.id === me) return null;
  const act = (/** @type {() => Promise<unknown>} */ run) => () => task.run(run);
  const message = act(async () => {
    await openPrivate(user.id);
    closePopover();
  });
  const complain = () => {
    closePopover();
    openReport({type: "user", user_id: user.id}, user.username);
  };
  return html`<div class="card-actions">
      <button type="button" class="primary" disabled=${task.isBusy} onClick=${message}>${t("message-user")}</button>
      <button type="button" onClick=${() => mention(user)}>${t("mention")}</button>
      ${!user.bot &&
      (type === 0 || type === INCOMING) &&
      html`<button type="button" disabled=${task.isBusy} onClick=${act(() => befriend(user.id))}>
        ${t(type === INCOMING ? "accept-friend" : "request-friend")}
      </button>`}
      ${type === OUTGOING &&
      html`<button type="button" disabled=${task.isBusy} onClick=${act(() => endRelationship(user.id))}>${t("withdraw")}</button>`}
      ${type === FRIEND && html`<span class="muted">${t("is-friend")}</span>`}
      ${type === BLOCKED
        ? html`<button type="button" disabled=${task.isBusy} onClick=${act(() => endRelationship(user.id))}>${t("unblock")}</button>`
        : html`<button type="button" class="dangerous" disabled=${task.isBusy} onClick=${act(() => block(user.id))}>${t("block")}</button>`}
      <button type="button" onClick=${complain}>${t("report")}</button>
    </div>
    ${task.error && html`<p class="error" role="alert">${task.error}</p>`}`;
}

/** Write a mention where the user writes. @param {any} user */
function mention(user) {
  closePopover();
  /** @type {HTMLTextAreaElement | null} */
  const field = document.querySelector(".composer textarea");
  if (field === null) return;
  field.focus();
  field.setRangeText(`<@${user.id}> `, field.selectionStart, field.selectionEnd, "end");
  field.dispatchEvent(new Event("input", {bubbles: true}));
}

/** @param {{guild: string, member: any}} properties */
function Moderation({guild, member}) {
  const present = useSelect((state) => state.guilds[guild]);
  const items = memberItems(present, member).filter(Boolean);
  if (items.length === 0) return null;
  return html`<div class="card-actions" role="group" aria-label=${t("manage-member")}>
    ${items.map(
      (item) => html`<button
        type="button"
        key=${item.label}
        class=${item.isDangerous ? "dangerous" : ""}
        onClick=${() => {
          closePopover();
          item.run();
        }}
      >
        ${item.label}
      </button>`,
    )}
  </div>`;
}

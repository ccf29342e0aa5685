/** Inviting people, and the page of an invite. */

import {useEffect, useState} from "../vendor/hooks.js";
import {locale, t} from "../lang/translate.js";
import {createInvite} from "../net/guild_actions.js";
import {rest} from "../net/session.js";
import {until} from "../state/store.js";
import {GuildIcon} from "./avatar.js";
import {EntryPage} from "./entry_page.js";
import {reason} from "../net/reasons.js";
import {Form} from "./form.js";
import {copied} from "./clipboard.js";
import {html} from "./html.js";
import {lazy} from "./lazy.js";
import {go, pathOf} from "./route.js";
import {useSelect, useTitle} from "./use.js";

const InviteForm = lazy(() => import("./invite_form.js"), "InviteForm");
const TOO_MANY_GUILDS = 30001;
/** How long an invite is valid, in seconds. */
const DAY_S = 86_400;

/** @param {{channel: string}} properties */
export function Invite({channel}) {
  const [link, setLink] = useState("");
  const [text, setText] = useState("");
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    createInvite(channel, {max_age: DAY_S})
      .then((/** @type {any} */ invite) => setLink(`${location.origin}/invite/${invite.code}`))
      .catch((/** @type {unknown} */ error) => setText(reason(error)));
  }, [channel]);
  const copy = async () => {
    setText((await copied(link)) ? t("copied") : t("copy-by-hand"));
  };
  return html`<p>${t("invite-created")}</p>
    <label class="field"
      >${t("invite-link")}
      <input readonly value=${link} onFocus=${(/** @type {any} */ event) => event.target.select()} />
      <small>${t("invite-valid-for-a-day")}</small>
    </label>
    <p role="status">${text}</p>
    <div class="actions">
      <button type="button" class="primary" onClick=${copy} disabled=${link === ""}>${t("copy")}</button>
    </div>
    <details onToggle=${(/** @type {any} */ event) => setOpen(event.target.open)}>
      <summary>${t("other-invite")}</summary>
      ${isOpen && html`<${InviteForm} channel=${channel} />`}
    </details>`;
}

/** Load an invite. @param {string} code */
function useInvite(code) {
  const [invite, setInvite] = useState(/** @type {any} */ (null));
  const [error, setError] = useState("");
  useEffect(() => {
    rest
      .get(`/invites/${encodeURIComponent(code)}`, {with_counts: true})
      .then(setInvite)
      .catch((/** @type {any} */ failure) =>
        setError(failure.status === 404 ? t("invite-gone") : reason(failure)),
      );
  }, [code]);
  return {invite, error};
}

/** What an invite leads to. @param {{code: string}} properties */
export function InviteAbout({code}) {
  return html`<${About} ...${useInvite(code)} />`;
}

/** @param {{invite: any, error: string}} properties */
function About({invite, error}) {
  if (error) return html`<p role="alert">${error}</p>`;
  if (invite === null) return html`<p>${t("loading")}</p>`;
  const {approximate_member_count: count, approximate_presence_count: online, inviter} = invite;
  const expires = invite.expires_at && new Date(invite.expires_at);
  return html`<div class="invite">
    <span class="guild-picture"><${GuildIcon} guild=${invite.guild} /></span>
    <p>
      <strong>${t("invited-to", {name: invite.guild.name})}</strong>
      ${invite.guild.description && html`<span>${invite.guild.description}</span>`}
      ${count !== undefined &&
      html`<span class="muted">${t("member-count", {count})}${" · "}${t("online-count", {count: online})}</span>`}
      ${inviter && html`<span class="muted">${t("invited-by", {name: inviter.global_name || inviter.username})}</span>`}
      <span class="muted">
        ${expires
          ? t("invite-expires", {time: expires.toLocaleString(locale(), {dateStyle: "medium", timeStyle: "short"})})
          : t("never-expires")}
      </span>
    </p>
  </div>`;
}

/** The page of an invite for a user who is logged in. @param {{code: string}} properties */
export function Accept({code}) {
  const found = useInvite(code);
  const guildId = found.invite?.guild.id;
  const isReady = useSelect((state) => state.me !== null);
  const isMember = useSelect((state) => guildId !== undefined && guildId in state.guilds);
  const [problem, setProblem] = useState("");
  useTitle(found.invite ? `${found.invite.guild.name} · chatd` : "chatd");
  const open = () => go(pathOf(guildId, isMember ? undefined : found.invite.channel?.id), {replace: true});
  const join = async () => {
    try {
      const invite = await rest.post(`/invites/${encodeURIComponent(code)}`);
      await until((state) => invite.guild.id in state.guilds);
    } catch (/** @type {any} */ failure) {
      if (failure.status === 404) setProblem(t("invite-gone"));
      else if (failure.code === TOO_MANY_GUILDS) setProblem(t("too-many-guilds"));
      else throw failure; // the form says it
      return;
    }
    go(pathOf(guildId, found.invite.channel?.id), {replace: true});
  };
  const leave = html`<button type="button" onClick=${() => go(pathOf(null), {replace: true})}>
    ${t("cancel")}
  </button>`;
  return html`<${EntryPage}>
    <${About} ...${found} />
    ${problem && html`<p class="error" role="alert">${problem}</p>`}
    ${isMember
      ? html`<p>${t("already-member")}</p>
          <div class="actions">${leave}<button type="button" class="primary" onClick=${open}>${t("open")}</button></div>`
      : isReady && found.invite && !problem
        ? html`<${Form} onSubmit=${join} submit=${t("join")} more=${leave} />`
        : html`<div class="actions">${leave}</div>`}
  <//>`;
}

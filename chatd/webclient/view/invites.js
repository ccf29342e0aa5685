/** Inviting people, and the page of an invite. */

import {useEffect, useState} from "../vendor/hooks.js";
import {t} from "../lang/translate.js";
import {rest} from "../net/session.js";
import {until} from "../state/store.js";
import {reason} from "./errors.js";
import {Form} from "./form.js";
import {html} from "./html.js";
import {go, pathOf} from "./route.js";
import {useSelect} from "./use.js";

/** @param {{channel: string}} properties */
export function Invite({channel}) {
  const [link, setLink] = useState("");
  const [text, setText] = useState("");
  useEffect(() => {
    rest
      .post(`/channels/${channel}/invites`, {})
      .then((/** @type {any} */ invite) => setLink(`${location.origin}/invite/${invite.code}`))
      .catch((/** @type {unknown} */ error) => setText(reason(error)));
  }, [channel]);
  const copy = async () => {
    await navigator.clipboard.writeText(link);
    setText(t("copied"));
  };
  return html`<p>${t("invite-created")}</p>
    <label class="field"
      >${t("invite-link")}
      <input readonly value=${link} onFocus=${(/** @type {any} */ event) => event.target.select()} />
    </label>
    <p role="status">${text}</p>
    <div class="actions">
      <button type="button" class="primary" onClick=${copy} disabled=${link === ""}>${t("copy")}</button>
    </div>`;
}

/** What an invite leads to. @param {{code: string}} properties */
export function InviteAbout({code}) {
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
  if (error) return html`<p role="alert">${error}</p>`;
  if (invite === null) return html`<p>${t("loading")}</p>`;
  const count = invite.approximate_member_count;
  return html`<p class="invite">
    ${t("invited-to", {name: invite.guild.name})}
    ${count !== undefined && html`<span class="muted">${t("member-count", {count})}</span>`}
  </p>`;
}

/** The page of an invite for a user who is logged in. @param {{code: string}} properties */
export function Accept({code}) {
  const isReady = useSelect((state) => state.me !== null);
  const join = async () => {
    const invite = await rest.post(`/invites/${encodeURIComponent(code)}`);
    await until((state) => invite.guild.id in state.guilds);
    go(pathOf(invite.guild.id, invite.channel?.id), {replace: true});
  };
  const leave = html`<button type="button" onClick=${() => go(pathOf(null), {replace: true})}>
    ${t("cancel")}
  </button>`;
  return html`<main class="login">
    <h1>chatd</h1>
    <${InviteAbout} code=${code} />
    ${isReady && html`<${Form} onSubmit=${join} submit=${t("join")} more=${leave} />`}
  </main>`;
}

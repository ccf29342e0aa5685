/** The invites of a guild: creating and revoking them. */

import {useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {deleteInvite, invitesOf} from "../../net/guild_actions.js";
import {CREATE_INVITE, permissionsOf} from "../../state/permissions.js";
import {sections} from "../../state/select.js";
import {confirm} from "../confirm.js";
import {html} from "../html.js";
import {InviteForm} from "../invite_form.js";
import {useLoaded} from "../task.js";
import {CopyButton} from "./copy.js";
import {Loading, SelectField, When} from "./fields.js";

/** @param {{guild: import("../../state/shape.js").Guild, me: string}} properties */
export function Invites({guild, me}) {
  const found = useLoaded(() => invitesOf(guild.id), [guild.id]);
  const channels = sections(guild)
    .flatMap((each) => each.channels)
    .filter((each) => (permissionsOf(guild, me, each) & CREATE_INVITE) !== 0n);
  const [chosen, choose] = useState("");
  const channel = channels.find((each) => each.id === chosen) ?? channels[0];
  const revoke = (/** @type {any} */ invite) =>
    confirm({
      title: t("revoke"),
      text: t("revoke-about", {code: invite.code}),
      isDangerous: true,
      submit: t("revoke"),
      run: async () => {
        await deleteInvite(invite.code);
        found.change((present) => present.filter((/** @type {any} */ each) => each.code !== invite.code));
      },
    });
  return html`${channel !== undefined &&
    html`<details>
      <summary>${t("new-invite")}</summary>
      <${SelectField}
        label=${t("channel")}
        value=${channel.id}
        options=${channels.map((each) => [each.id, `#${each.name}`])}
        onChange=${choose}
      />
      <${InviteForm} key=${channel.id} channel=${channel.id} onCreated=${found.reload} />
    </details>`}
    ${found.value === null
      ? html`<${Loading} ...${found} />`
      : html`<ul class="entries">
            ${found.value.map(
              (/** @type {any} */ invite) => html`<${Row} key=${invite.code} invite=${invite} onRevoke=${() => revoke(invite)} />`,
            )}
          </ul>
          ${found.value.length === 0 && html`<p class="muted">${t("no-invites")}</p>`}`}`;
}

/** @param {{invite: any, onRevoke: () => void}} properties */
function Row({invite, onRevoke}) {
  const link = `${location.origin}/invite/${invite.code}`;
  return html`<li>
    <div class="about">
      <span class="name"><code>${invite.code}</code> → #${invite.channel.name}</span>
      <small>
        ${invite.inviter && t("invited-by", {name: invite.inviter.username})}
        ${" · "}${t("invite-uses", {uses: invite.uses, max: invite.max_uses})}
        ${invite.temporary && ` · ${t("invite-temporary")}`}
      </small>
      <small>
        ${invite.expires_at ? html`${t("expires")} <${When} at=${invite.expires_at} />` : t("never-expires")}
      </small>
    </div>
    <${CopyButton} text=${link} label=${t("copy-link")} />
    <button type="button" class="dangerous" aria-label=${`${t("revoke")}: ${invite.code}`} onClick=${onRevoke}>${t("revoke")}</button>
  </li>`;
}

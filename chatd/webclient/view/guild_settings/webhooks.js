/** The webhooks of a guild. */

import {t} from "../../lang/translate.js";
import {changeWebhook, createWebhook, deleteWebhook, webhooksOf} from "../../net/guild_actions.js";
import {MANAGE_WEBHOOKS, permissionsOf} from "../../state/permissions.js";
import {sections} from "../../state/select.js";
import {confirm} from "../confirm.js";
import {html} from "../html.js";
import {useLoaded} from "../task.js";
import {CopyButton} from "./copy.js";
import {Loading, SelectField, SettingsForm, TextField} from "./fields.js";

/** A webhook that forwards the announcements of another server. */
const FOLLOWER = 2;

/** @param {{guild: import("../../state/shape.js").Guild, me: string}} properties */
export function Webhooks({guild, me}) {
  const found = useLoaded(() => webhooksOf(guild.id), [guild.id]);
  const channels = /** @type {[string, string][]} */ (
    sections(guild)
      .flatMap((each) => each.channels)
      .filter((each) => (permissionsOf(guild, me, each) & MANAGE_WEBHOOKS) !== 0n)
      .map((each) => [each.id, `#${each.name}`])
  );
  const create = async (/** @type {Record<string, string>} */ {name, channel}) => {
    const made = await createWebhook(channel, name);
    found.change((present) => [...present, made]);
  };
  return html`<p class="muted">${t("webhooks-about")}</p>
    ${channels.length > 0 &&
    html`<details>
      <summary>${t("new-webhook")}</summary>
      <${SettingsForm} onSave=${create} submit=${t("create")} isReset=${true}>
        <${TextField} label=${t("webhook-name")} name="name" maxLength=${80} />
        <${SelectField} label=${t("channel")} name="channel" value=${channels[0][0]} options=${channels} />
      <//>
    </details>`}
    ${found.value === null
      ? html`<${Loading} ...${found} />`
      : html`<ul class="entries wide">
            ${found.value.map(
              (/** @type {any} */ each) => html`<${Row} key=${each.id} guild=${guild} webhook=${each} channels=${channels} found=${found} />`,
            )}
          </ul>
          ${found.value.length === 0 && html`<p class="muted">${t("no-webhooks")}</p>`}`}`;
}

/** @param {{guild: import("../../state/shape.js").Guild, webhook: any, channels: [string, string][], found: any}} properties */
function Row({guild, webhook, channels, found}) {
  const replace = (/** @type {any} */ next) =>
    found.change((/** @type {any[]} */ present) =>
      present.flatMap((each) => (each.id === webhook.id ? next : [each])),
    );
  const save = async (/** @type {Record<string, string>} */ {name, channel}) => {
    const changed = await changeWebhook(webhook.id, {name, channel_id: channel});
    replace([{...webhook, ...changed}]);
  };
  const remove = () =>
    confirm({
      title: t("delete-webhook"),
      text: t("delete-webhook-about", {name: webhook.name}),
      isDangerous: true,
      submit: t("delete"),
      run: async () => {
        await deleteWebhook(webhook.id);
        replace([]);
      },
    });
  const place = guild.channels[webhook.channel_id]?.name ?? t("hidden-channel");
  return html`<li>
    <details>
      <summary><strong>${webhook.name}</strong> <small>#${place}</small></summary>
      ${webhook.user && html`<small>${t("created-by", {name: webhook.user.username})}</small>`}
      ${webhook.type === FOLLOWER && html`<p class="muted">${t("webhook-follows")}</p>`}
      <${SettingsForm} onSave=${save}>
        <${TextField} label=${t("webhook-name")} name="name" value=${webhook.name} maxLength=${80} />
        <${SelectField} label=${t("channel")} name="channel" value=${webhook.channel_id} options=${channels} />
      <//>
      <div class="actions">
        ${webhook.url && html`<${CopyButton} text=${webhook.url} label=${t("copy-webhook")} />`}
        <button type="button" class="dangerous" onClick=${remove}>${t("delete-webhook")}</button>
      </div>
    </details>
  </li>`;
}

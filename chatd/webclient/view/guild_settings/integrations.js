/** The applications in a guild: adding a bot, removing one. */

import {useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {deleteIntegration, integrationsOf} from "../../net/guild_actions.js";
import {Avatar} from "../avatar.js";
import {confirm} from "../confirm.js";
import {html} from "../html.js";
import {useLoaded} from "../task.js";
import {Loading} from "./fields.js";

/** @param {{guild: import("../../state/shape.js").Guild}} properties */
export function Integrations({guild}) {
  const found = useLoaded(() => integrationsOf(guild.id), [guild.id]);
  const remove = (/** @type {any} */ each) =>
    confirm({
      title: t("remove-bot"),
      text: t("remove-bot-about", {name: each.name}),
      isDangerous: true,
      submit: t("remove"),
      run: async () => {
        await deleteIntegration(guild.id, each.id);
        found.change((present) => present.filter((/** @type {any} */ other) => other.id !== each.id));
      },
    });
  return html`<${AddBot} guild=${guild.id} />
    ${found.value === null
      ? html`<${Loading} ...${found} />`
      : html`<ul class="entries">
            ${found.value.map((/** @type {any} */ each) => {
              const bot = each.application?.bot;
              return html`<li key=${each.id}>
                ${bot && html`<${Avatar} user=${bot} />`}
                <div class="about">
                  <span class="name">${each.name}</span>
                  <small>${each.application?.description || each.user?.username}</small>
                </div>
                <button type="button" class="dangerous" aria-label=${`${t("remove")}: ${each.name}`} onClick=${() => remove(each)}>${t("remove")}</button>
              </li>`;
            })}
          </ul>
          ${found.value.length === 0 && html`<p class="muted">${t("guild-no-bots")}</p>`}
          <p><button type="button" onClick=${found.reload}>${t("reload")}</button></p>`}`;
}

/** @param {{guild: string}} properties */
function AddBot({guild}) {
  const [text, setText] = useState("");
  // The id of an application, or a link in which it is.
  const id = /client_id=(\d{1,19})/.exec(text)?.[1] ?? /^\d{1,19}$/.exec(text.trim())?.[0];
  const link = `/oauth2/authorize?client_id=${id}&scope=bot%20applications.commands&guild_id=${guild}`;
  return html`<details>
    <summary>${t("add-bot")}</summary>
    <label class="field"
      >${t("add-bot-field")}
      <input value=${text} onInput=${(/** @type {any} */ event) => setText(event.target.value)} autocomplete="off" />
      <small>${t("add-bot-about")}</small>
    </label>
    ${text !== "" && !id && html`<p class="error" role="alert">${t("add-bot-invalid")}</p>`}
    ${id && html`<p><a href=${link} target="_blank" rel="noopener">${t("add-bot-open")}</a></p>`}
  </details>`;
}

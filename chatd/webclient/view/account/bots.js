/** Applications of the user: each has a bot, with a token that is shown once. */

import {useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {applications, createApplication, deleteApplication, resetToken} from "../../net/account_actions.js";
import {Field, Form} from "../form.js";
import {html} from "../html.js";
import {BotDetails} from "./bot_details.js";
import {ask} from "../confirm.js";
import {Copied} from "../copied.js";
import {useLoaded} from "../use_loaded.js";

const MAX_NAME = 32;

export function Bots() {
  const {value: found, again, problem} = useLoaded(applications);
  const [token, setToken] = useState(/** @type {{id: string, text: string} | null} */ (null));
  if (found === null) return problem;
  const create = async (/** @type {any} */ {name}) => {
    const application = await createApplication({name, bot_public: false});
    try {
      setToken({id: application.id, text: await resetToken(application.id)});
    } finally {
      await again(); // the bot is there, also without a token
    }
  };
  const reset = (/** @type {any} */ {id, name}) =>
    ask(t("reset-token"), html`<p>${t("reset-token-text", {name})}</p>`, async () =>
      setToken({id, text: await resetToken(id)}),
    );
  const remove = (/** @type {any} */ {id, name}) =>
    ask(t("delete-bot"), html`<p>${t("delete-bot-text", {name})}</p>`, async () => {
      await deleteApplication(id);
      await again();
    });
  return html`<p>${t("bots-text")} <a href="/docs">${t("about-api")}</a></p>
    <${Form} onSubmit=${create} submit=${t("create-bot")} isReset=${true}>
      <${Field} label=${t("bot-name")} name="name" maxLength=${MAX_NAME} />
    <//>
    ${found.length === 0 && html`<p class="muted">${t("no-bots")}</p>`}
    <ul class="bots">
      ${found.map(
        (/** @type {any} */ each) => html`<li key=${each.id} class="card" aria-label=${each.name}>
          <h3>${each.name}</h3>
          ${token?.id === each.id &&
          html`<${Copied} label=${t("bot-token")} value=${token?.text} hint=${t("bot-token-once")} />`}
          <${BotDetails} application=${each} onChange=${again} />
          <div class="actions">
            <button type="button" onClick=${() => reset(each)}>${t("reset-token")}</button>
            <button type="button" class="danger" onClick=${() => remove(each)}>${t("delete-bot")}</button>
          </div>
        </li>`,
      )}
    </ul>`;
}

/** Applications that the user has added to the account. */

import {t} from "../../lang/translate.js";
import {authorizations, revokeAuthorization} from "../../net/account_actions.js";
import {html} from "../html.js";
import {ask} from "../confirm.js";
import {useLoaded} from "../use_loaded.js";

export function Apps() {
  const {value: found, again, problem} = useLoaded(authorizations);
  if (found === null) return problem;
  const remove = (/** @type {any} */ {id, application}) =>
    ask(t("remove-app"), html`<p>${t("remove-app-text", {name: application.name})}</p>`, async () => {
      await revokeAuthorization(id);
      await again();
    });
  return html`<p>${t("apps-text")}</p>
    ${found.length === 0 && html`<p class="muted">${t("no-apps")}</p>`}
    <ul class="cards">
      ${found.map(
        (/** @type {any} */ each) => html`<li key=${each.id}>
          <div>
            <strong>${each.application.name}</strong>
            <p class="muted">${each.application.description}</p>
          </div>
          <button
            type="button"
            aria-label=${t("remove-app-named", {name: each.application.name})}
            onClick=${() => remove(each)}
          >
            ${t("remove-app")}
          </button>
        </li>`,
      )}
    </ul>`;
}

/** Accounts that wait for the approval of an administrator. */

import {useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {decideRegistration, registrations} from "../../net/admin_actions.js";
import {ask} from "../confirm.js";
import {html} from "../html.js";
import {useTask} from "../task.js";
import {Time} from "../time.js";
import {usePages} from "./paged.js";

export function Registrations() {
  const {items, footer, again} = usePages(registrations, {query: ""});
  return html`<p class="muted">${t("admin-registrations-text")}</p>
    <ul class="cards">
      ${items.map((each) => html`<${Card} key=${each.id} account=${each} onDone=${again} />`)}
    </ul>
    ${footer}`;
}

/** @param {{account: any, onDone: () => void}} properties */
function Card({account, onDone}) {
  const {id, username: name} = account;
  const [isDone, setDone] = useState(false);
  const task = useTask();
  const decide = async (/** @type {"approve" | "refuse"} */ decision) => {
    await decideRegistration(id, decision);
    setDone(true);
    onDone();
  };
  const refuse = () => ask(t("refuse"), t("refuse-text", {name}), () => decide("refuse"));
  return html`<li>
    <div>
      <strong>${name}</strong>
      <p class="muted">${account.email} · <${Time} at=${account.requested_at} /></p>
      ${task.error && html`<p class="error" role="alert">${task.error}</p>`}
    </div>
    <div class="actions">
      <button type="button" class="primary" disabled=${task.isBusy || isDone} onClick=${() => task.run(() => decide("approve"))}>
        ${t("approve")}
      </button>
      <button type="button" class="dangerous" disabled=${task.isBusy || isDone} onClick=${refuse}>${t("refuse")}</button>
    </div>
  </li>`;
}

/** The accounts of the server: finding, disabling, logging out and deleting them. */

import {useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {accounts, changeAccount, deleteAccount, logOutAccount} from "../../net/admin_actions.js";
import {ask} from "../confirm.js";
import {html} from "../html.js";
import {NewPasswordField} from "../password_fields.js";
import {Choice} from "../preferences.js";
import {Time} from "../time.js";
import {Search, usePages} from "./paged.js";

const KINDS = /** @type {[string, () => string][]} */ ([
  ["all", () => t("kind-all")],
  ["administrators", () => t("kind-administrators")],
  ["disabled", () => t("kind-disabled")],
  ["bots", () => t("kind-bots")],
]);

export function Accounts() {
  const [query, setQuery] = useState("");
  const [kind, setKind] = useState("all");
  const {items, footer, again} = usePages(accounts, {query, kind});
  const [done, setDone] = useState("");
  const run = async (/** @type {() => Promise<unknown>} */ act) => {
    await act();
    setDone(t("saved"));
    again();
  };
  return html`<${Search} value=${query} onChange=${setQuery} />
    <${Choice}
      label=${t("kind")}
      value=${kind}
      options=${KINDS.map(([id, title]) => [id, title()])}
      onChoose=${setKind}
    />
    <p role="status" class="done">${done}</p>
    <ul class="cards">
      ${items.map((each) => html`<${Card} key=${each.id} account=${each} run=${run} />`)}
    </ul>
    ${footer}`;
}

/** @param {{account: any, run: (act: () => Promise<unknown>) => Promise<void>}} properties */
function Card({account, run}) {
  const {id, username: name, disabled_at: isDisabled} = account;
  const asking = (/** @type {string} */ title, /** @type {any} */ text, /** @type {any} */ act) => () =>
    ask(title, text, (values) => run(() => act(values)));
  return html`<li>
    <div>
      <strong>${name}</strong>
      ${account.administrator && html`<span class="tag">${t("administrator")}</span>`}
      ${account.bot && html`<span class="tag">${t("tag-bot")}</span>`}
      ${isDisabled && html`<span class="tag warn">${t("disabled")}</span>`}
      <p class="muted">
        ${account.email ?? ""} ${t("account-facts", {guilds: account.guilds, logins: account.logins})}
        ${account.last_used_at && html` · ${t("last-used")} <${Time} at=${account.last_used_at} />`}
      </p>
    </div>
    ${!account.administrator &&
    html`<div class="actions" role="group" aria-label=${name}>
      <button
        type="button"
        onClick=${isDisabled
          ? asking(t("enable"), html`<p>${t("enable-text", {name})}</p>`, () => changeAccount(id, {disabled: false}))
          : asking(t("disable"), html`<p>${t("disable-text", {name})}</p>`, () => changeAccount(id, {disabled: true}))}
      >
        ${isDisabled ? t("enable") : t("disable")}
      </button>
      ${!account.bot &&
      html`<button
          type="button"
          onClick=${asking(t("set-password"), html`<${NewPassword} name=${name} />`, (/** @type {any} */ {password}) =>
            changeAccount(id, {password}),
          )}
        >
          ${t("set-password")}
        </button>
        <button
          type="button"
          onClick=${asking(t("log-out"), html`<p>${t("log-out-text", {name})}</p>`, () => logOutAccount(id))}
        >
          ${t("log-out")}
        </button>
        <button
          type="button"
          class="danger"
          onClick=${asking(t("delete"), html`<${Deletion} account=${account} />`, (/** @type {any} */ values) =>
            deleteAccount(id, {
              delete_guilds: "guilds" in values,
              delete_applications: "applications" in values,
            }),
          )}
        >
          ${t("delete")}
        </button>`}
    </div>`}
  </li>`;
}

/** @param {{name: string}} properties */
const NewPassword = ({name}) => html`<p>${t("set-password-text", {name})}</p>
  <input autocomplete="username" value=${name} readonly hidden />
  <${NewPasswordField} label=${t("new-password")} name="password" />`;

/** @param {{account: any}} properties */
const Deletion = ({account}) => html`<p>${t("delete-text", {name: account.username})}</p>
  ${account.guilds_owned > 0 &&
  html`<label class="toggle"
    ><input type="checkbox" name="guilds" /> ${t("delete-guilds-too", {count: account.guilds_owned})}</label
  >`}
  <label class="toggle"
    ><input type="checkbox" name="applications" /> ${t("delete-applications-too")}</label
  >`;

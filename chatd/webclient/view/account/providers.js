/** The accounts at providers by which the user can log in, and a first password. */

import {useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {reason} from "../../net/reasons.js";
import {link, links, providers, setPassword, unlink} from "../../net/sign_on.js";
import {ask} from "../confirm.js";
import {Form} from "../form.js";
import {html} from "../html.js";
import {NewPasswordField} from "../password_fields.js";
import {Time} from "../time.js";
import {useLoaded} from "../use_loaded.js";

const load = async () => {
  const [all, own] = await Promise.all([providers(), links()]);
  return {all, ...own};
};

/** Shows nothing if the server has no providers. */
export function LinkedProviders() {
  const {value: found, again, problem} = useLoaded(load);
  const [failure, setFailure] = useState("");
  if (found === null) return problem;
  const {all, links: own, has_password: hasPassword} = found;
  if (all.length === 0 && hasPassword) return null;
  const others = all.filter(({name}) => !own.some((each) => each.name === name));
  const add = (/** @type {string} */ name) => {
    setFailure("");
    link(name).catch((error) => setFailure(reason(error)));
  };
  const remove = (/** @type {import("../../net/sign_on.js").Link} */ {name, label}) =>
    ask(t("provider-unlink"), html`<p>${t("provider-unlink-text", {name: label})}</p>`, async () => {
      await unlink(name);
      await again();
    });
  return html`<h3>${t("providers")}</h3>
    <p>${t("providers-text")}</p>
    ${!hasPassword && html`<${FirstPassword} onDone=${again} />`}
    <ul class="cards">
      ${own.map(
        (each) => html`<li key=${each.name}>
          <div class="name">
            <strong>${each.label}</strong>
            <p class="muted">
              ${each.last_used_at === null ? t("passkey-unused") : html`${t("last-used")} <${Time} at=${each.last_used_at} />`}
            </p>
          </div>
          <div class="actions">
            <button
              type="button"
              class="danger"
              aria-label=${t("provider-unlink-named", {name: each.label})}
              onClick=${() => remove(each)}
            >
              ${t("provider-unlink")}
            </button>
          </div>
        </li>`,
      )}
    </ul>
    <div class="actions">
      ${others.map(
        ({name, label}) => html`<button key=${name} type="button" onClick=${() => add(name)}>
          ${t("provider-link", {name: label})}
        </button>`,
      )}
    </div>
    <p class="error" role="alert">${failure}</p>`;
}

/** @param {{onDone: () => Promise<void>}} properties */
function FirstPassword({onDone}) {
  const send = async (/** @type {Record<string, string>} */ values) => {
    await setPassword(values.new_password);
    await onDone();
  };
  return html`<p class="notice">${t("no-password")}</p>
    <${Form} onSubmit=${send} submit=${t("choose-password")}>
      <${NewPasswordField} label=${t("new-password")} name="new_password" />
    <//>`;
}

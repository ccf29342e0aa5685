/** The passkeys of the account. */

import {useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {createPasskey, deletePasskey, hasPasskeys, passkeys, renamePasskey} from "../../net/factors.js";
import {ask, confirm} from "../confirm.js";
import {Field, Form} from "../form.js";
import {html} from "../html.js";
import {passkeyReason} from "../second_factor.js";
import {Time} from "../time.js";
import {useLoaded} from "../use_loaded.js";

const MAX_NAME = 32;

/** @param {{onCodes: (codes: string[]) => void}} properties */
export function Passkeys({onCodes}) {
  const {value: found, again, problem} = useLoaded(passkeys);
  const [error, setError] = useState("");
  if (found === null) return problem;
  const add = async (/** @type {any} */ {name}) => {
    setError("");
    try {
      const codes = await createPasskey(name);
      if (codes.length > 0) onCodes(codes);
    } catch (failure) {
      if (!(failure instanceof DOMException)) throw failure;
      setError(passkeyReason(failure));
    }
    await again();
  };
  const rename = (/** @type {any} */ {id, name}) =>
    confirm({
      title: t("passkey-rename"),
      text: "",
      submit: t("passkey-rename"),
      run: async (values) => {
        await renamePasskey(id, values.name);
        await again();
      },
      children: html`<${Field} label=${t("passkey-name")} name="name" value=${name} maxLength=${MAX_NAME} />`,
    });
  const remove = (/** @type {any} */ {id, name}) =>
    ask(t("passkey-delete"), html`<p>${t("passkey-delete-text", {name})}</p>`, async () => {
      await deletePasskey(id);
      await again();
    });
  return html`<p>${t("passkeys-text")}</p>
    ${found.length === 0 && html`<p class="muted">${t("no-passkeys")}</p>`}
    <ul class="cards">
      ${found.map(
        (/** @type {any} */ each) => html`<li key=${each.id}>
          <div class="name">
            <strong>${each.name}</strong>
            <p class="muted">
              ${each.last_used === null ? t("passkey-unused") : html`${t("last-used")} <${Time} at=${each.last_used} />`}
            </p>
          </div>
          <div class="actions">
            <button type="button" aria-label=${t("passkey-rename-named", {name: each.name})} onClick=${() => rename(each)}>
              ${t("passkey-rename")}
            </button>
            <button
              type="button"
              class="danger"
              aria-label=${t("passkey-delete-named", {name: each.name})}
              onClick=${() => remove(each)}
            >
              ${t("delete")}
            </button>
          </div>
        </li>`,
      )}
    </ul>
    ${hasPasskeys()
      ? html`<${Form} onSubmit=${add} submit=${t("passkey-add")} isReset=${true}>
            <${Field} label=${t("passkey-name")} name="name" maxLength=${MAX_NAME} />
          <//>
          <p class="error" role="alert">${error}</p>`
      : html`<p class="notice">${t("passkey-unavailable")}</p>`}`;
}

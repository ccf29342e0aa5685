/** The second factors of the account: an app for codes, passkeys, recovery codes. */

import {useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {disableCodes, enableCodes, newRecoveryCodes, newSecret, secretUri} from "../../net/factors.js";
import {ask} from "../confirm.js";
import {Copied} from "../copied.js";
import {Field, Form} from "../form.js";
import {html} from "../html.js";
import {CurrentPassword} from "../password_fields.js";
import {useSelect} from "../use.js";
import {Passkeys} from "./passkeys.js";
import {LinkedProviders} from "./providers.js";
import {QrCode} from "./qr.js";
import {RecoveryCodes} from "./recovery_codes.js";

/** Discord's type of an app for codes. */
const CODES = 2;

export function Security() {
  const me = useSelect((state) => state.me);
  const [codes, setCodes] = useState(/** @type {string[]} */ ([]));
  if (me === null) return null;
  const hasApp = (me.authenticator_types ?? []).includes(CODES);
  const turnOff = () => ask(t("app-turn-off"), html`<p>${t("app-turn-off-text")}</p>`, disableCodes);
  return html`<p>${t("security-text")}</p>
    <p role="status">${t(me.mfa_enabled ? "factor-on" : "factor-off")}</p>
    ${codes.length > 0 && html`<${RecoveryCodes} codes=${codes} onDone=${() => setCodes([])} />`}
    <h3>${t("app")}</h3>
    ${hasApp
      ? html`<p>${t("app-on")}</p>
          <div class="actions"><button type="button" class="danger" onClick=${turnOff}>${t("app-turn-off")}</button></div>`
      : html`<${AppSetup} me=${me} onCodes=${setCodes} />`}
    <h3>${t("passkeys")}</h3>
    <${Passkeys} onCodes=${setCodes} />
    ${me.mfa_enabled && html`<h3>${t("recovery-codes")}</h3><${Replacement} email=${me.email} onCodes=${setCodes} />`}
    <${LinkedProviders} />`;
}

/** @param {{me: any, onCodes: (codes: string[]) => void}} properties */
function AppSetup({me, onCodes}) {
  const [secret, setSecret] = useState("");
  if (secret === "") {
    return html`<p>${t("app-text")}</p>
      <div class="actions">
        <button type="button" onClick=${() => setSecret(newSecret())}>${t("app-set-up")}</button>
      </div>`;
  }
  const enable = async (/** @type {any} */ {password, code}) => {
    const codes = await enableCodes({password, secret, code});
    setSecret("");
    if (codes.length > 0) onCodes(codes);
  };
  const uri = secretUri(secret, me.username);
  const cancel = html`<button type="button" onClick=${() => setSecret("")}>${t("cancel")}</button>`;
  return html`<p>${t("app-scan")}</p>
    <${QrCode} text=${uri} />
    <p><a href=${uri}>${t("app-open")}</a></p>
    <${Copied} label=${t("app-secret")} value=${secret.replace(/.{4}(?=.)/g, "$& ")} />
    <${Form} onSubmit=${enable} submit=${t("app-turn-on")} more=${cancel}>
      <${Field} label=${t("app-code")} name="code" autocomplete="one-time-code" maxLength=${64} />
      <${CurrentPassword} email=${me.email} />
    <//>`;
}

/** @param {{email: string | null, onCodes: (codes: string[]) => void}} properties */
function Replacement({email, onCodes}) {
  const replace = () =>
    ask(
      t("recovery-replace"),
      html`<p>${t("recovery-replace-text")}</p>
        <${CurrentPassword} email=${email} />`,
      async ({password}) => onCodes(await newRecoveryCodes(password)),
    );
  return html`<p>${t("recovery-text")}</p>
    <div class="actions"><button type="button" onClick=${replace}>${t("recovery-replace")}</button></div>`;
}

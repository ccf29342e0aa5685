/** Proving the second factor: by a code, by a passkey, or with the password if there is none yet. */

import {render} from "../vendor/preact.js";
import {useEffect, useRef} from "../vendor/hooks.js";
import {t} from "../lang/translate.js";
import {confirmFactor, hasPasskeys, usePasskey} from "../net/factors.js";
import {state} from "../state/store.js";
import {reason} from "../net/reasons.js";
import {Field, Form} from "./form.js";
import {html} from "./html.js";
import {useTask} from "./task.js";
import {useFocus} from "./use.js";

const MAX_CODE = 64;
/** The names of errors of browsers that users cause: they cancel, or wait too long. */
const CANCELLED = ["NotAllowedError", "AbortError", "InvalidStateError"];

/** What an error says, also one of the browser about a passkey. @param {unknown} error */
export function passkeyReason(error) {
  if (!(error instanceof DOMException)) return reason(error);
  return t(CANCELLED.includes(error.name) ? "passkey-cancelled" : "passkey-failed");
}

/**
 * @param {{ways: {webauthn: string | null, hasCodes: boolean, needsPassword?: boolean},
 *   submit: string, onProve: (kind: string, data: string) => Promise<unknown>, more?: any}} properties
 *   `ways` says what the account has: options for passkeys, codes, or only a password.
 */
export function SecondFactor({ways, submit, onProve, more}) {
  const first = useFocus();
  const byPasskey = ways.webauthn !== null && hasPasskeys();
  const passkey = byPasskey && html`<${PasskeyButton} options=${ways.webauthn} onProve=${onProve} />`;
  if (ways.needsPassword) {
    return html`<${Form} onSubmit=${(/** @type {any} */ {data}) => onProve("password", data)} submit=${submit} more=${more}>
      <input autocomplete="username" value=${state.value.me?.email ?? ""} readonly hidden />
      <${Field} label=${t("current-password")} name="data" type="password" autocomplete="current-password" inputRef=${first} />
    <//>`;
  }
  if (!ways.hasCodes) {
    return html`${passkey || html`<p class="error" role="alert">${t("passkey-unavailable")}</p>`}
      <div class="actions">${more}</div>`;
  }
  return html`<${Form} onSubmit=${(/** @type {any} */ {data}) => onProve("totp", data)} submit=${submit} more=${more}>
      <${Field}
        label=${t("factor-code")}
        name="data"
        autocomplete="one-time-code"
        maxLength=${MAX_CODE}
        hint=${t("factor-code-hint")}
        inputRef=${first}
      />
    <//>
    ${passkey}`;
}

/** @param {{options: string | null, onProve: (kind: string, data: string) => Promise<unknown>}} properties */
function PasskeyButton({options, onProve}) {
  const {run, error, isBusy, setError} = useTask();
  const use = () =>
    run(async () => {
      let data;
      try {
        data = await usePasskey(options ?? "");
      } catch (failure) {
        setError(passkeyReason(failure));
        return;
      }
      await onProve("webauthn", data);
    });
  return html`<div class="actions">
      <button type="button" disabled=${isBusy} onClick=${use}>${t("use-passkey")}</button>
    </div>
    <p class="error" role="alert">${error}</p>`;
}

/**
 * Ask for the second factor, over the page and its dialogs. Return a confirmation. Throws the error if
 * the user does not want to.
 * @param {import("../net/errors.js").ApiError} error The refusal that asks for it.
 * @returns {Promise<string>}
 */
export function prove(error) {
  const place = document.createElement("div");
  document.body.append(place);
  return new Promise((resolve, reject) => {
    const end = (/** @type {string | null} */ confirmation) => {
      render(null, place);
      place.remove();
      if (confirmation === null) reject(error);
      else resolve(confirmation);
    };
    render(html`<${Prompt} mfa=${error.mfa} onEnd=${end} />`, place);
  });
}

/** @param {{mfa: any, onEnd: (confirmation: string | null) => void}} properties */
function Prompt({mfa, onEnd}) {
  const element = useRef(/** @type {any} */ (null));
  useEffect(() => {
    const dialog = element.current;
    dialog.showModal();
    return () => dialog.close();
  }, []);
  const method = (/** @type {string} */ type) =>
    mfa.methods.find((/** @type {any} */ each) => each.type === type);
  const ways = {
    webauthn: method("webauthn")?.challenge ?? null,
    hasCodes: Boolean(method("totp") || method("backup")),
    needsPassword: Boolean(method("password")),
  };
  const cancel = html`<button type="button" onClick=${() => onEnd(null)}>${t("cancel")}</button>`;
  return html`<dialog ref=${element} aria-labelledby="factor-title" onCancel=${() => onEnd(null)}>
    <header><h2 id="factor-title">${t("confirm-it-is-you")}</h2></header>
    <p>${t(ways.needsPassword ? "confirm-password-text" : "confirm-factor-text")}</p>
    <${SecondFactor}
      ways=${ways}
      submit=${t("confirm")}
      onProve=${async (/** @type {string} */ kind, /** @type {string} */ data) =>
        onEnd(await confirmFactor(mfa, kind, data))}
      more=${cancel}
    />
  </dialog>`;
}

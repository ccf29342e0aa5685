/** Logging in and registering. */

import {useEffect, useRef, useState} from "../vendor/hooks.js";
import {t} from "../lang/translate.js";
import {ApiError} from "../net/errors.js";
import {serverRules} from "../net/account_actions.js";
import {enter, logOut, login} from "../net/session.js";
import {state} from "../state/store.js";
import {EntryPage} from "./entry_page.js";
import {reason} from "../net/reasons.js";
import {Field, Form} from "./form.js";
import {html} from "./html.js";
import {lazy} from "./lazy.js";
import {NewPasswordField} from "./password_fields.js";
import {follow, go, route} from "./route.js";
import {Providers, SignOn} from "./sign_on.js";
import {useFocus} from "./use.js";

const SecondFactor = lazy(() => import("./second_factor.js"), "SecondFactor");
/** Discord's code of a ticket that is used up, expired, or had too many tries. */
const INVALID_TICKET = 60006;
/** Rule: chatd/core/names.py. */
export const MAX_USERNAME = 32;

/** @param {{children?: any}} properties `children` says why the page asks for a login. */
export function Login({children}) {
  const here = route.value;
  const [isNew, setNew] = useState(here.view === "entry" && here.isNew);
  useEffect(() => {
    if (here.view === "entry") setNew(here.isNew);
  }, [here]);
  useEffect(() => {
    document.title = `${isNew ? t("register") : t("log-in")} · chatd`;
  }, [isNew]);
  const change = () => {
    if (here.view === "entry") go(isNew ? "/login" : "/register");
    setNew(!isNew);
  };
  const other = html`<button type="button" class="link" onClick=${change}>
    ${isNew ? t("have-account") : t("need-account")}
  </button>`;
  return html`<${EntryPage}>
    ${children}
    ${login.value === "ended" && html`<p class="notice" role="status">${t("ended")}</p>`}
    <${SignOn} />
    <h2>${isNew ? t("register") : t("log-in")}</h2>
    ${isNew ? html`<${Register} key="new" more=${other} />` : html`<${LogIn} key="known" more=${other} />`}
  <//>`;
}

/** @param {{more?: any, name?: string}} properties `name` is the login of a user who is known. */
function LogIn({more, name = ""}) {
  const first = useFocus();
  const [challenge, setChallenge] = useState(/** @type {any} */ (null));
  const [hasExpired, setExpired] = useState(false);
  if (challenge !== null) {
    const again = (/** @type {boolean} */ isExpired) => {
      setExpired(isExpired);
      setChallenge(null);
    };
    return html`<${SecondStep} challenge=${challenge} onAgain=${again} />`;
  }
  const send = async (/** @type {any} */ values) => {
    setExpired(false);
    const answer = await enter("/auth/login", values);
    if (answer.mfa) setChallenge(answer);
  };
  return html`${hasExpired && html`<p class="notice" role="status">${t("factor-expired")}</p>`}<${Form}
    onSubmit=${send}
    submit=${t("log-in")}
    more=${more}
  >
    <${Field}
      label=${t("login-name")}
      name="login"
      autocomplete="username"
      value=${name}
      inputRef=${name ? undefined : first}
    />
    <${Field}
      label=${t("password")}
      name="password"
      type="password"
      autocomplete="current-password"
      inputRef=${name ? first : undefined}
    />
      <${Forgot} />
    <//>
    <${Providers} />`;
}

/** The way to a new password, if the server sends mail. */
function Forgot() {
  const [isPossible, setPossible] = useState(false);
  useEffect(() => {
    serverRules().then((rules) => setPossible(rules.can_recover_account), () => {});
  }, []);
  return isPossible && html`<p><a href="/forgot" onClick=${follow}>${t("forgot-password")}</a></p>`;
}

/**
 * The second factor of a login.
 * @param {{challenge: any, onAgain: (hasExpired: boolean) => void, onDone?: () => void}} properties
 */
export function SecondStep({challenge, onAgain, onDone}) {
  const {ticket, webauthn, totp, backup} = challenge;
  const prove = async (/** @type {string} */ kind, /** @type {string} */ code) => {
    try {
      await enter(`/auth/mfa/${kind}`, {ticket, code});
      onDone?.();
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== INVALID_TICKET) throw error;
      onAgain(true);
    }
  };
  const back = html`<button type="button" class="link" onClick=${() => onAgain(false)}>${t("back")}</button>`;
  return html`<p>${t("factor-needed")}</p>
    <${SecondFactor}
      ways=${{webauthn, hasCodes: totp || backup}}
      submit=${t("log-in")}
      onProve=${prove}
      more=${back}
    />`;
}

/** @param {{more: any}} properties */
function Register({more}) {
  const [rules, setRules] = useState(/** @type {any} */ (null));
  const [failure, setFailure] = useState("");
  useEffect(() => {
    serverRules().then(setRules, (error) => setFailure(reason(error)));
  }, []);
  const [waits, setWaits] = useState(false);
  const first = useFocus(rules);
  if (waits) return html`<p class="notice" role="status">${t("registration-waits")}</p>${more}`;
  if (failure) return html`<p class="error" role="alert">${failure}</p>${more}`;
  if (rules === null) return html`<p role="status">${t("loading")}</p>`;
  if (rules.register_disabled) return html`<p class="notice">${t("registration-closed")}</p>${more}`;
  const needsCode = rules.register_requireInvite;
  const register = async (/** @type {Record<string, string>} */ {invitation, ...values}) => {
    const answer = await enter("/auth/register", invitation ? {...values, invitation} : values);
    if (answer.awaits_approval) setWaits(true);
  };
  const how = rules.register_requireApproval ? "registration-by-approval" : "registration-open";
  const code = new URLSearchParams(location.search).get("code") ?? "";
  return html`<p class="muted">${t(needsCode ? "registration-by-code" : how)}</p>
    <${Form} onSubmit=${register} submit=${t("register")} more=${more}>
      ${needsCode &&
      html`<${Field} label=${t("invitation-code")} name="invitation" value=${code} maxLength=${64} />`}
      <${Field}
        label=${t("username")}
        name="username"
        autocomplete="username"
        maxLength=${MAX_USERNAME}
        hint=${t("username-rules")}
        inputRef=${first}
      />
      <${Field}
        label=${t("email")}
        name="email"
        type="email"
        autocomplete="email"
        hint=${t("email-use")}
      />
      <${NewPasswordField} label=${t("password")} name="password" />
    <//>`;
}

/** Asks for the login over the page, which stays as it is: nothing that was typed is lost. */
export function LoginAgain() {
  const element = useRef(/** @type {any} */ (null));
  const open = () => element.current?.showModal();
  useEffect(open, []);
  const stay = (/** @type {Event} */ event) => event.preventDefault();
  const leave = html`<button type="button" class="link" onClick=${() => logOut().catch(() => {})}>
    ${t("log-out")}
  </button>`;
  return html`<dialog ref=${element} class="again" aria-labelledby="again-title" onCancel=${stay} onClose=${open}>
    <h2 id="again-title">${t("log-in-again")}</h2>
    <p>${t("ended-kept")}</p>
    <${LogIn} name=${state.value.me?.email ?? ""} more=${leave} />
  </dialog>`;
}

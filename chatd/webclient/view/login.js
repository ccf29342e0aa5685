/** Logging in and registering. */

import {useState} from "../vendor/hooks.js";
import {t} from "../lang/translate.js";
import {enter, login} from "../net/session.js";
import {Field, Form} from "./form.js";
import {html} from "./html.js";
import {useFocus} from "./use.js";

/** @param {{children?: any}} properties `children` says why the page asks for a login. */
export function Login({children}) {
  const [isNew, setNew] = useState(false);
  const first = useFocus();
  const logIn = (/** @type {any} */ values) => enter("/auth/login", values);
  const register = ({invitation, ...values}) =>
    enter("/auth/register", invitation ? {...values, invitation} : values);
  const change = html`<button type="button" class="link" onClick=${() => setNew(!isNew)}>
    ${isNew ? t("have-account") : t("need-account")}
  </button>`;
  return html`<main class="login">
    <h1>chatd</h1>
    ${children}
    ${login.value === "ended" && html`<p role="status">${t("ended")}</p>`}
    <h2>${isNew ? t("register") : t("log-in")}</h2>
    ${isNew
      ? html`<${Form} key="new" onSubmit=${register} submit=${t("register")} more=${change}>
          <${Field} label=${t("username")} name="username" autocomplete="username" inputRef=${first} />
          <${Field} label=${t("email")} name="email" type="email" autocomplete="email" />
          <${Field} label=${t("password")} name="password" type="password" autocomplete="new-password" />
          <${Field} label=${t("invitation-code")} name="invitation" isOptional=${true} />
        <//>`
      : html`<${Form} key="known" onSubmit=${logIn} submit=${t("log-in")} more=${change}>
          <${Field} label=${t("login-name")} name="login" autocomplete="username" inputRef=${first} />
          <${Field} label=${t("password")} name="password" type="password" autocomplete="current-password" />
        <//>`}
  </main>`;
}

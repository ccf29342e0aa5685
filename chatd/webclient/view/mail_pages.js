/** The pages that links in mails open, and the one that asks for such a link. */

import {useEffect, useState} from "../vendor/hooks.js";
import {t} from "../lang/translate.js";
import {enter, rest} from "../net/session.js";
import {EntryPage} from "./entry_page.js";
import {Field, Form} from "./form.js";
import {html} from "./html.js";
import {SecondStep} from "./login.js";
import {NewPasswordField} from "./password_fields.js";
import {useFocus} from "./use.js";

const TITLES = {
  forgot: () => t("forgot-password"),
  reset: () => t("choose-password"),
  verify: () => t("verify-email"),
  undo: () => t("undo-change"),
};

/** @param {{page: "forgot" | "reset" | "verify" | "undo", token: string}} properties */
export function MailPage({page, token}) {
  const title = TITLES[page]();
  useEffect(() => {
    document.title = `${title} · chatd`;
  }, [title]);
  const Page = {forgot: Forgot, reset: Reset, verify: Verify, undo: Undo}[page];
  return html`<${EntryPage}>
    <h2>${title}</h2>
    <${Page} token=${token} />
  <//>`;
}

/** What was done, and the way on. The page is loaded again, since the login may have changed. @param {{text: string}} properties */
const Done = ({text}) => html`<p role="status">${text}</p>
  <p><a href="/app/@me">${t("to-client")}</a></p>`;

/** The new password. The page does not know the address, for which managers of passwords look. */
const NewPassword = () => html`<input autocomplete="username" readonly hidden />
  <${NewPasswordField} label=${t("new-password")} name="password" />`;

function Forgot() {
  const first = useFocus();
  const [isSent, setSent] = useState(false);
  if (isSent) return html`<${Done} text=${t("forgot-sent")} />`;
  const send = async (/** @type {Record<string, string>} */ {login}) => {
    await rest.open("/auth/forgot", {login});
    setSent(true);
  };
  return html`<p class="muted">${t("forgot-hint")}</p>
    <${Form} onSubmit=${send} submit=${t("send")}>
      <${Field} label=${t("email")} name="login" type="email" autocomplete="email" inputRef=${first} />
    <//>`;
}

/** @param {{token: string}} properties */
function Verify({token}) {
  const [isDone, setDone] = useState(false);
  if (isDone) return html`<${Done} text=${t("email-verified")} />`;
  const send = async () => {
    await rest.open("/auth/verify", {token});
    setDone(true);
  };
  return html`<${Form} onSubmit=${send} submit=${t("verify-email")} />`;
}

/** @param {{token: string}} properties */
function Reset({token}) {
  const [challenge, setChallenge] = useState(/** @type {any} */ (null));
  const [isDone, setDone] = useState(false);
  if (isDone) return html`<${Done} text=${t("password-changed")} />`;
  // The password is new already; without the second factor the way on leads to a login.
  if (challenge !== null) {
    return html`<${SecondStep} challenge=${challenge} onAgain=${() => setDone(true)} onDone=${() => setDone(true)} />`;
  }
  const send = async (/** @type {Record<string, string>} */ {password}) => {
    const answer = await enter("/auth/reset", {token, password});
    if (answer.mfa) setChallenge(answer);
    else setDone(true);
  };
  return html`<p class="muted">${t("choose-password-hint")}</p>
    <${Form} onSubmit=${send} submit=${t("change-password")}>
      <${NewPassword} />
    <//>`;
}

/** @param {{token: string}} properties */
function Undo({token}) {
  const [isDone, setDone] = useState(false);
  if (isDone) return html`<${Done} text=${t("change-undone")} />`;
  const send = async (/** @type {Record<string, string>} */ {password}) => {
    await rest.open("/auth/undo", {token, password});
    setDone(true);
  };
  return html`<p class="muted">${t("undo-hint")}</p>
    <${Form} onSubmit=${send} submit=${t("undo-change")}>
      <${NewPassword} />
    <//>`;
}

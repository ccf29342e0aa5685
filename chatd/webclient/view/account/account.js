/** The name, the e-mail address and the password of the account, and its end. */

import {t} from "../../lang/translate.js";
import {
  applications,
  changeAccount,
  deleteAccount,
  resendVerification,
  serverRules,
} from "../../net/account_actions.js";
import {logOut, rest} from "../../net/session.js";
import {Field, Form} from "../form.js";
import {html} from "../html.js";
import {MAX_USERNAME} from "../login.js";
import {CurrentPassword, NewPasswordField} from "../password_fields.js";
import {useSelect} from "../use.js";
import {ask} from "../confirm.js";
import {useLoaded} from "../use_loaded.js";

export function Account() {
  const me = useSelect((state) => state.me);
  if (me === null) return null;
  const current = html`<${CurrentPassword} email=${me.email} />`;
  return html`<h3>${t("username")}</h3>
    <${Form} onSubmit=${changeAccount} submit=${t("change-username")} done=${t("saved")}>
      <${Field}
        label=${t("username")}
        name="username"
        value=${me.username}
        autocomplete="username"
        maxLength=${MAX_USERNAME}
        hint=${t("username-change-hint")}
      />
    <//>
    <h3>${t("email")}</h3>
    <${Email} me=${me} current=${current} />
    <h3>${t("password")}</h3>
    <${Password} current=${current} />
    <h3>${t("delete-account")}</h3>
    <${Deletion} email=${me.email} />`;
}

/** @param {{me: any, current: any}} properties */
function Email({me, current}) {
  const sendsMail = useLoaded(serverRules).value?.can_recover_account ?? false;
  return html`${sendsMail && !me.verified && html`<${Unverified} />`}
    <${Form}
      onSubmit=${changeAccount}
      submit=${t("change-email")}
      done=${sendsMail ? t("email-sent") : t("saved")}
      isReset=${true}
    >
      <${Field} label=${t("email")} name="email" type="email" value=${me.email ?? ""} autocomplete="email" />
      ${current}
    <//>`;
}

/** The address is not verified: the mail for it can be sent again. */
const Unverified = () => html`<${Form}
  onSubmit=${resendVerification}
  submit=${t("send-again")}
  done=${t("email-sent")}
>
  <p>${t("email-unverified")}</p>
<//>`;

/** @param {{current: any}} properties */
function Password({current}) {
  return html`<${Form}
    onSubmit=${changeAccount}
    submit=${t("change-password")}
    done=${t("password-changed")}
    isReset=${true}
  >
    ${current}
    <${NewPasswordField} label=${t("new-password")} name="new_password" />
  <//>`;
}

/** @param {{email: string}} properties */
function Deletion({email}) {
  const guilds = useSelect((state) =>
    Object.values(state.guilds)
      .filter((each) => each.owner_id === state.me?.id)
      .map((each) => each.name)
      .join(", "),
  );
  const {value: apps, problem} = useLoaded(applications);
  if (apps === null) return problem;
  if (guilds) return html`<p>${t("delete-account-guilds", {names: guilds})}</p>`;
  if (apps.length > 0) {
    const names = apps.map((/** @type {any} */ each) => each.name).join(", ");
    return html`<p>${t("delete-account-bots", {names})}</p>`;
  }
  const remove = () =>
    ask(
      t("delete-account"),
      html`<p>${t("delete-account-text")}</p>
        <${CurrentPassword} email=${email} />`,
      async ({password}) => {
        await deleteAccount(password);
        rest.tokens.clear();
        await logOut();
      },
    );
  return html`<p>${t("delete-account-text")}</p>
    <div class="actions"><button type="button" class="danger" onClick=${remove}>${t("delete-account")}</button></div>`;
}

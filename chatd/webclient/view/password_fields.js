/** Fields for passwords. The server checks the same rules. */

import {t} from "../lang/translate.js";
import {Field} from "./form.js";
import {html} from "./html.js";

/** Rule: chatd/core/passwords.py. */
const MIN_PASSWORD = 8;
const MAX_PASSWORD = 128;

/** A password to choose. @param {{label: string, name: string}} properties */
export const NewPasswordField = ({label, name}) => html`<${Field}
  label=${label}
  name=${name}
  type="password"
  autocomplete="new-password"
  minLength=${MIN_PASSWORD}
  maxLength=${MAX_PASSWORD}
  hint=${t("password-rules", {count: MIN_PASSWORD})}
/>`;

/**
 * The password that the user has. The address is there for managers of passwords.
 * @param {{email: string | null}} properties
 */
export const CurrentPassword = ({email}) => html`<input autocomplete="username" value=${email ?? ""} readonly hidden />
  <${Field}
    label=${t("current-password")}
    name="password"
    type="password"
    autocomplete="current-password"
    maxLength=${MAX_PASSWORD}
  />`;

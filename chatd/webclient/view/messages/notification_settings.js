/** Whether this browser shows notifications of the desktop. The browser asks only after a click here. */

import {t} from "../../lang/translate.js";
import {html} from "../html.js";
import {choose, isWanted, permission, turnOn} from "./notify.js";

export function NotificationSettings() {
  const allowed = permission.value;
  return html`<section class="notification-settings">
    <p>${t("notifications-about")}</p>
    ${allowed === "unsupported" && html`<p class="muted">${t("notifications-unsupported")}</p>`}
    ${allowed === "denied" && html`<p class="error" role="alert">${t("notifications-denied")}</p>`}
    ${allowed === "default" &&
    html`<button type="button" class="primary" onClick=${() => turnOn()}>${t("notifications-on")}</button>`}
    ${allowed === "granted" &&
    html`<label class="check">
      <input
        type="checkbox"
        checked=${isWanted.value}
        onChange=${(/** @type {any} */ event) => choose(event.target.checked)}
      />
      ${t("notifications-on")}
    </label>`}
  </section>`;
}

/** The form of a report to the administrators of the server. */

import {useState} from "../vendor/hooks.js";
import {t} from "../lang/translate.js";
import {report} from "../net/reports.js";
import {closeDialog} from "./dialog.js";
import {Field, Form} from "./form.js";
import {SelectField} from "./guild_settings/fields.js";
import {html} from "./html.js";
import {CATEGORIES} from "./report_categories.js";

/** @param {{subject: import("../net/reports.js").Subject, about: string}} properties */
export function ReportForm({subject, about}) {
  const [isSent, setSent] = useState(false);
  if (isSent) {
    return html`<p role="status">${t("report-sent")}</p>
      <div class="actions"><button type="button" class="primary" onClick=${closeDialog}>${t("close")}</button></div>`;
  }
  const send = async (/** @type {any} */ values) => {
    await report(subject, values);
    setSent(true);
  };
  const cancel = html`<button type="button" onClick=${closeDialog}>${t("cancel")}</button>`;
  return html`<p class="question">${t("report-about", {name: about})}</p>
    <${Form} onSubmit=${send} submit=${t("report-send")} more=${cancel}>
      <${SelectField}
        label=${t("report-category")}
        name="category"
        value="spam"
        options=${CATEGORIES.map(([id, title]) => [id, title()])}
      />
      <${Field} label=${t("report-comment")} name="comment" isOptional=${true} rows=${4} maxLength=${1000} />
    <//>`;
}

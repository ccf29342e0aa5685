/** Reports of the people of the server: what was reported, and the decision about it. */

import {t} from "../../lang/translate.js";
import {reports, resolveReport} from "../../net/admin_actions.js";
import {ask} from "../confirm.js";
import {Field} from "../form.js";
import {SelectField} from "../guild_settings/fields.js";
import {html} from "../html.js";
import {CATEGORIES, OUTCOMES} from "../report_categories.js";
import {Time} from "../time.js";
import {usePages} from "./paged.js";

export function Reports() {
  const {items, footer, again} = usePages(reports, {query: ""});
  return html`<p class="muted">${t("admin-reports-text")}</p>
    <ul class="cards">
      ${items.map((each) => html`<${Card} key=${each.id} report=${each} onDone=${again} />`)}
    </ul>
    ${footer}`;
}

/** @param {{report: any, onDone: () => void}} properties */
function Card({report, onDone}) {
  const {evidence} = report;
  const category = CATEGORIES.find(([id]) => id === report.category)?.[1]() ?? report.category;
  const decide = () =>
    ask(t("report-decide"), html`<${Decision} report=${report} />`, async (values) => {
      await resolveReport(report.id, {...values, similar: values.similar === "on"});
      onDone();
    });
  const who = evidence.message?.author ?? evidence.user;
  const place = [evidence.guild?.name, evidence.channel?.name].filter(Boolean).join(" › ");
  return html`<li>
    <div>
      <strong>${who ? who.username : evidence.guild?.name}</strong>
      <span class="tag">${category}</span>
      ${report.similar > 0 && html`<span class="tag warn">${t("reports-similar", {count: report.similar})}</span>`}
      <p class="muted">${t("report-by", {name: report.reporter})} · <${Time} at=${report.created_at} /> · ${place}</p>
      ${evidence.message && html`<blockquote class="quoted"><p>${evidence.message.content || t("message-without-text")}</p></blockquote>`}
      ${report.comment && html`<p>${report.comment}</p>`}
    </div>
    <div class="actions"><button type="button" onClick=${decide}>${t("report-decide")}</button></div>
  </li>`;
}

/** @param {{report: any}} properties */
const Decision = ({report}) =>
  html`<${SelectField}
      label=${t("report-outcome")}
      name="outcome"
      value="no_action"
      options=${OUTCOMES.filter(([, , kinds]) => kinds.includes(report.type)).map(([id, title]) => [id, title()])}
    />
    <${Field} label=${t("report-note")} name="note" isOptional=${true} rows=${3} maxLength=${1000} />
    ${report.similar > 0 &&
    html`<label class="check"><input type="checkbox" name="similar" /> ${t("report-similar", {count: report.similar})}</label>`}`;

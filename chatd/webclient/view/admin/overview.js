/** Figures of the server: what it does now, and what it holds. */

import {useEffect, useRef, useState} from "../../vendor/hooks.js";
import {locale, t} from "../../lang/translate.js";
import {figures, statistics} from "../../net/admin_actions.js";
import {reason} from "../../net/reasons.js";
import {html} from "../html.js";
import {useLoaded} from "../use_loaded.js";
import {Plot} from "./plot.js";
import {appended, rates} from "./series.js";

const EVERY_MS = 2000;

const PLOTS = [
  {name: "sessions", title: () => t("figure-sessions")},
  {name: "requests", title: () => t("figure-requests"), isRate: true},
  {name: "errors", title: () => t("figure-errors"), isRate: true},
  {name: "messages", title: () => t("figure-messages"), isRate: true},
  {name: "deliveries", title: () => t("figure-deliveries"), isRate: true},
  {name: "database_connections", title: () => t("figure-database")},
];

const COUNTS = {
  people: () => t("count-people"),
  bots: () => t("count-bots"),
  active_day: () => t("count-active-day"),
  active_month: () => t("count-active-month"),
  disabled: () => t("count-disabled"),
  guilds: () => t("count-guilds"),
  channels: () => t("count-channels"),
  messages: () => t("count-messages"),
  attachments: () => t("count-attachments"),
  attachment_bytes: () => t("count-attachment-bytes"),
  database_bytes: () => t("count-database-bytes"),
};

export function Overview() {
  return html`<div class="wide"><${Live} /><${Counts} /></div>`;
}

function Live() {
  // Requests may be answered by different instances: each has figures of its own.
  const [series, setSeries] = useState(/** @type {Record<string, any[]>} */ ({}));
  const [error, setError] = useState("");
  const isOpen = useRef(true);
  useEffect(() => {
    let timer = 0;
    const load = async () => {
      try {
        const latest = document.hidden ? null : await figures();
        if (latest) setSeries((present) => appended(present, latest));
        setError("");
      } catch (failure) {
        setError(reason(failure));
      }
      if (isOpen.current) timer = setTimeout(load, EVERY_MS);
    };
    load();
    return () => {
      isOpen.current = false;
      clearTimeout(timer);
    };
  }, []);
  return html`<h3>${t("admin-now")}</h3>
    <p class="error" role="alert">${error}</p>
    ${Object.entries(series).map(
      ([id, samples]) => html`<section key=${id} aria-label=${t("instance-named", {id})}>
        ${Object.keys(series).length > 1 && html`<h4>${t("instance-named", {id})}</h4>`}
        <div class="plots">
          ${PLOTS.map(
            ({name, title, isRate}) => html`<${Plot}
              key=${name}
              title=${title()}
              values=${isRate ? rates(samples, name) : samples.map((each) => each[name])}
            />`,
          )}
        </div>
      </section>`,
    )}`;
}

function Counts() {
  const {value: found, again, problem} = useLoaded(statistics);
  if (found === null) return problem;
  return html`<h3>${t("admin-holds")}</h3>
    <dl class="counts">
      ${Object.entries(COUNTS).map(
        ([name, title]) => html`<div key=${name}>
          <dt>${title()}</dt>
          <dd>${shown(name, found.counts[name])}</dd>
        </div>`,
      )}
    </dl>
    <h3>${t("instances")}</h3>
    <div class="scroll-x" tabindex="0" role="group" aria-label=${t("instances")}>
      <table class="rows">
        <thead>
          <tr>
            <th scope="col">${t("instance-number")}</th>
            <th scope="col">${t("instance-host")}</th>
            <th scope="col">${t("instance-version")}</th>
          </tr>
        </thead>
        <tbody>
          ${found.instances.map(
            (/** @type {any} */ each) => html`<tr key=${each.worker_id}>
              <td>${each.worker_id}</td>
              <td>${each.host ?? each.holder}</td>
              <td>${each.version ?? ""}</td>
            </tr>`,
          )}
        </tbody>
      </table>
    </div>
    <div class="actions"><button type="button" onClick=${again}>${t("refresh")}</button></div>`;
}

/** @param {string} name @param {number} count */
function shown(name, count) {
  if (!name.endsWith("bytes")) return count.toLocaleString(locale());
  return t("megabytes", {count: (count / 1e6).toLocaleString(locale(), {maximumFractionDigits: 1})});
}

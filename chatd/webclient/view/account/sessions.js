/** The devices on which the user is logged in. */

import {useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {endLogins, logins} from "../../net/account_actions.js";
import {html} from "../html.js";
import {ask} from "../confirm.js";
import {Time} from "../time.js";
import {useLoaded} from "../use_loaded.js";

const BROWSERS = ["Firefox", "Edg", "OPR", "Chrome", "Safari"];
const SYSTEMS = ["Android", "iPhone", "iPad", "Windows", "Mac OS", "CrOS", "Linux"];

/** A short name of the client, from what it calls itself. @param {string | null} agent */
export function clientName(agent) {
  if (!agent) return t("unknown-client");
  const browser = BROWSERS.find((each) => agent.includes(`${each}/`));
  const system = SYSTEMS.find((each) => agent.includes(each));
  if (browser === undefined) return agent.slice(0, 60);
  const name = {Edg: "Edge", OPR: "Opera"}[browser] ?? browser;
  return system === undefined ? name : t("client-on", {client: name, system});
}

export function Sessions() {
  const {value: found, again, problem} = useLoaded(logins);
  const [done, setDone] = useState("");
  if (found === null) return problem;
  const end = async (/** @type {any[]} */ some) => {
    await endLogins(some.map((each) => each.id_hash));
    await again();
    setDone(t("sessions-ended", {count: some.length}));
  };
  const others = found.filter((each) => !each.current);
  return html`<p>${t("sessions-text")}</p>
    <p role="status" class="done">${done}</p>
    <ul class="cards">
      ${found.map(
        (each) => html`<li key=${each.id_hash}>
          <div>
            <strong title=${each.client_info.platform}>${clientName(each.client_info.platform)}</strong>
            ${each.current && html`<span class="tag">${t("this-device")}</span>`}
            <p class="muted">
              ${t("last-used")} <${Time} at=${each.approx_last_used_time} /> · ${t("since")}${" "}
              <${Time} at=${each.created_at} />
            </p>
          </div>
          ${!each.current &&
          html`<button
            type="button"
            aria-label=${t("log-out-of", {name: clientName(each.client_info.platform)})}
            onClick=${() => ask(t("log-out"), html`<p>${t("session-end-text")}</p>`, () => end([each]))}
          >
            ${t("log-out")}
          </button>`}
        </li>`,
      )}
    </ul>
    ${others.length > 0 &&
    html`<div class="actions">
      <button
        type="button"
        class="danger"
        onClick=${() =>
          ask(t("log-out-others"), html`<p>${t("sessions-end-text", {count: others.length})}</p>`, () =>
            end(others),
          )}
      >
        ${t("log-out-others")}
      </button>
    </div>`}`;
}

/** The administration of the server: a page with sections, for its administrators. */

import {t} from "../../lang/translate.js";
import {isAdministrator} from "../../net/admin_actions.js";
import {html} from "../html.js";
import {route} from "../route.js";
import {Sections} from "../sections.js";
import {useLoaded} from "../use_loaded.js";
import {Accounts} from "./accounts.js";
import {Codes} from "./codes.js";
import {Guilds} from "./guilds.js";
import {Overview} from "./overview.js";
import {Registrations} from "./registrations.js";
import {Reports} from "./reports.js";

const SECTIONS = [
  {id: "overview", title: () => t("admin-overview"), View: Overview},
  {id: "accounts", title: () => t("admin-accounts"), View: Accounts},
  {id: "guilds", title: () => t("guilds"), View: Guilds},
  {id: "reports", title: () => t("admin-reports"), View: Reports},
  {id: "registrations", title: () => t("admin-registrations"), View: Registrations},
  {id: "codes", title: () => t("admin-codes"), View: Codes},
];

export function Admin() {
  const here = route.value;
  const {value: isPermitted, problem} = useLoaded(isAdministrator);
  const wanted = here.view === "admin" ? here.section : null;
  const section = SECTIONS.find((each) => each.id === wanted) ?? SECTIONS[0];
  if (isPermitted === null) return html`<main id="main" class="empty">${problem}</main>`;
  if (!isPermitted) return html`<main id="main" class="empty"><p role="alert">${t("admin-refused")}</p></main>`;
  return html`<${Sections}
    title=${t("admin")}
    sections=${SECTIONS}
    section=${section}
    pathOf=${(/** @type {string} */ id) => `/app/admin/${id}`}
    isReady=${true}
  />`;
}

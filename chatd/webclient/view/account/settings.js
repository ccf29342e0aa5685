/** The settings: a page with sections, each with an address of its own. */

import {t} from "../../lang/translate.js";
import {html} from "../html.js";
import {NotificationSettings} from "../messages/notification_settings.js";
import {follow, route} from "../route.js";
import {Sections} from "../sections.js";
import {useSelect} from "../use.js";
import {Account} from "./account.js";
import {Appearance} from "./appearance.js";
import {Apps} from "./apps.js";
import {Bots} from "./bots.js";
import {Privacy} from "./privacy.js";
import {Profile} from "./profile.js";
import {Security} from "./security.js";
import {Sessions} from "./sessions.js";
import {Shortcuts} from "./shortcuts.js";

const SECTIONS = [
  {id: "profile", title: () => t("settings-profile"), View: Profile},
  {id: "account", title: () => t("settings-account"), View: Account},
  {id: "security", title: () => t("settings-security"), View: Security},
  {id: "sessions", title: () => t("settings-sessions"), View: Sessions},
  {id: "privacy", title: () => t("settings-privacy"), View: Privacy},
  {id: "appearance", title: () => t("settings-appearance"), View: Appearance},
  {id: "notifications", title: () => t("settings-notifications"), View: NotificationSettings},
  {id: "shortcuts", title: () => t("settings-shortcuts"), View: Shortcuts},
  {id: "apps", title: () => t("settings-apps"), View: Apps},
  {id: "bots", title: () => t("settings-bots"), View: Bots},
];

export function Settings() {
  const here = route.value;
  const isReady = useSelect((state) => state.me !== null);
  const isAdministrator = useSelect((state) => ((state.me?.flags ?? 0) & 1) !== 0);
  const wanted = here.view === "settings" ? here.section : null;
  const section = SECTIONS.find((each) => each.id === wanted) ?? SECTIONS[0];
  return html`<${Sections}
    title=${t("settings")}
    sections=${SECTIONS}
    section=${section}
    pathOf=${(/** @type {string} */ id) => `/app/settings/${id}`}
    isReady=${isReady}
    more=${isAdministrator &&
    html`<a href="/app/admin" onClick=${follow}>${t("admin")}</a>`}
  />`;
}

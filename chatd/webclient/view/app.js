/** The whole page: a login, an invite, the link of a mail, or the client. */

import {useEffect} from "../vendor/hooks.js";
import {t} from "../lang/translate.js";
import {leftHere} from "../net/guild_actions.js";
import {login, rest, notice} from "../net/session.js";
import {channelOf, sections, titleOf} from "../state/select.js";
import {Boundary} from "./boundary.js";
import {Channel} from "./channel.js";
import {Dialog} from "./dialog.js";
import {html} from "./html.js";
import {lazy} from "./lazy.js";
import "./messages/notify.js"; // it notifies of messages of all channels
import {Overlays} from "./overlays.js";
import {Rail} from "./rail.js";
import {channelAt, go, pathOf, route} from "./route.js";
import {Sidebar} from "./sidebar.js";
import {Status} from "./status.js";
import {Unsaved} from "./unsaved.js";
import {useSelect, useTitle} from "./use.js";

const Login = lazy(() => import("./login.js"), "Login");
const LoginAgain = lazy(() => import("./login.js"), "LoginAgain");
const Accept = lazy(() => import("./invites.js"), "Accept");
const InviteAbout = lazy(() => import("./invites.js"), "InviteAbout");
const Friends = lazy(() => import("./friends.js"), "Friends");
const Settings = lazy(() => import("./account/settings.js"), "Settings");
const Admin = lazy(() => import("./admin/admin.js"), "Admin");
const MailPage = lazy(() => import("./mail_pages.js"), "MailPage");

rest.confirm = async (error) => (await import("./second_factor.js")).prove(error);

export function App() {
  const here = route.value;
  const isKnown = useSelect((state) => state.me !== null);
  if (here.view === "mail") return html`<${MailPage} page=${here.page} token=${here.token} />`;
  if (login.value === "none" || (login.value === "ended" && !isKnown)) {
    return html`<${Login}>${here.view === "invite" && html`<${InviteAbout} code=${here.code} />`}<//>`;
  }
  if (here.view === "invite") return html`<${Accept} code=${here.code} />`;
  if (here.view === "entry") return html`<${Enter} />`;
  const Page = here.view === "settings" ? Settings : here.view === "admin" ? Admin : null;
  return html`<div class="app" data-in-channel=${channelAt(here) !== null} data-page=${Page !== null}>
    <a class="skip" href="#main" onClick=${skip}>${t("skip")}</a>
    <${Boundary}><${Rail} /><//>
    ${Page
      ? html`<${Boundary} tag="main" cause=${here}><${Page} /><//>`
      : html`<${Boundary} cause=${here}><${Sidebar} /><//>
          <${Boundary} tag="main" cause=${here}><${Main} /><//>
          <${Title} />`}
    <${Status} /><${Overlays} /><${Dialog} /><${Unsaved} /><${Keys} />
    ${login.value === "ended" && html`<${LoginAgain} />`}
  </div>`;
}

/** Move the focus past the lists of guilds and channels. @param {Event} event */
function skip(event) {
  event.preventDefault(); // the address stays as it is
  const main = document.querySelector("main");
  main?.setAttribute("tabindex", "-1");
  main?.focus();
}

/** Keys that work everywhere. */
function Keys() {
  useEffect(() => {
    const press = (/** @type {KeyboardEvent} */ event) => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
      const path = {",": "/app/settings", "/": "/app/settings/shortcuts"}[event.key];
      if (path === undefined || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      go(path);
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
  return null;
}

/** The addresses `/`, `/login` and `/register` lead into the client after a login. */
function Enter() {
  useEffect(() => go(pathOf(null), {replace: true}), []);
  return null;
}

/** As the style sheets have it. */
const isNarrow = () => matchMedia("(width < 48rem)").matches;

function Main() {
  const here = route.value;
  const isReady = useSelect((state) => state.me !== null);
  const channel = channelAt(here);
  const isKnown = useSelect((state) => channel !== null && channelOf(state, channel) !== undefined);
  const isMember = useSelect((state) => here.view !== "guild" || here.guild in state.guilds);
  const first = useSelect((state) => {
    const guild = here.view === "guild" ? state.guilds[here.guild] : undefined;
    return guild && sections(guild).flatMap((each) => each.channels)[0]?.id;
  });
  useEffect(() => {
    if (!isReady) return;
    const place = isMember ? (isKnown ? null : channel) : "guild" in here ? here.guild : null;
    if (place !== null && !leftHere.has(place)) notice("place-gone");
    if (!isMember) go(pathOf(null), {replace: true}); // the user was removed, or has left
    else if (here.view === "guild" && !isKnown && first) {
      // A narrow page shows the channels instead of one of them, unless that one is gone.
      if (channel !== null && isNarrow()) go(pathOf(here.guild), {replace: true});
      else if (!isNarrow()) go(pathOf(here.guild, first), {replace: true});
    } else if (here.view === "private" && channel !== null && !isKnown) {
      go(pathOf(null), {replace: true});
    }
  }, [isReady, isMember, isKnown, first, here]);
  if (!isReady) return html`<main id="main" class="empty"><p>${t("loading")}</p></main>`;
  if (channel !== null && isKnown) return html`<${Channel} key=${channel} id=${channel} />`;
  if (here.view === "private") return html`<${Friends} />`;
  return html`<main id="main" class="empty"><p>${t("choose-channel")}</p></main>`;
}

/** The title of the page says where the user is. */
function Title() {
  const here = route.value;
  const title = useSelect((state) => {
    const shown = channelAt(here);
    const channel = shown && channelOf(state, shown);
    const guild = here.view === "guild" ? state.guilds[here.guild]?.name : undefined;
    return [channel && titleOf(state, channel), guild, "chatd"].filter(Boolean).join(" · ");
  });
  useTitle(title);
  return null;
}

/** The whole page: a login, an invite, or the client. */

import {useEffect} from "../vendor/hooks.js";
import {t} from "../lang/translate.js";
import {login} from "../net/session.js";
import {channelOf, sections, titleOf, unread} from "../state/select.js";
import {Channel} from "./channel.js";
import {Dialog} from "./dialog.js";
import {Friends} from "./friends.js";
import {html} from "./html.js";
import {Accept, InviteAbout} from "./invites.js";
import {Login} from "./login.js";
import {Rail} from "./rail.js";
import {go, pathOf, route} from "./route.js";
import {Sidebar} from "./sidebar.js";
import {Status} from "./status.js";
import {useSelect} from "./use.js";

export function App() {
  const here = route.value;
  if (login.value !== "present") {
    return html`<${Login}>${here.view === "invite" && html`<${InviteAbout} code=${here.code} />`}<//>`;
  }
  if (here.view === "invite") return html`<${Accept} code=${here.code} />`;
  return html`<div class="app" data-in-channel=${here.channel !== null}>
    <${Rail} /><${Sidebar} /><${Main} /><${Status} /><${Dialog} /><${Title} />
  </div>`;
}

function Main() {
  const here = route.value;
  const isReady = useSelect((state) => state.me !== null);
  const channel = here.view === "invite" ? null : here.channel;
  const isKnown = useSelect((state) => channel !== null && channelOf(state, channel) !== undefined);
  const isMember = useSelect((state) => here.view !== "guild" || here.guild in state.guilds);
  const first = useSelect((state) => {
    const guild = here.view === "guild" ? state.guilds[here.guild] : undefined;
    return guild && sections(guild).flatMap((each) => each.channels)[0]?.id;
  });
  useEffect(() => {
    if (!isReady) return;
    if (!isMember) go(pathOf(null), {replace: true}); // the user was removed, or has left
    else if (here.view === "guild" && !isKnown && first) {
      go(pathOf(here.guild, first), {replace: true});
    } else if (here.view === "private" && channel !== null && !isKnown) {
      go(pathOf(null), {replace: true});
    }
  }, [isReady, isMember, isKnown, first, here]);
  if (!isReady) return html`<main class="empty"><p>${t("loading")}</p></main>`;
  if (channel !== null && isKnown) return html`<${Channel} key=${channel} id=${channel} />`;
  if (here.view === "private") return html`<${Friends} />`;
  return html`<main class="empty"><p>${t("choose-channel")}</p></main>`;
}

/** The title of the page: the mentions, and where the user is. */
function Title() {
  const here = route.value;
  const title = useSelect((state) => {
    const known = [
      ...Object.values(state.guilds).flatMap((each) => Object.keys(each.channels)),
      ...Object.keys(state.privates),
    ];
    const mentions = known.reduce((sum, id) => sum + unread(state, id).mentions, 0);
    const channel = here.view !== "invite" && here.channel && channelOf(state, here.channel);
    const guild = here.view === "guild" ? state.guilds[here.guild]?.name : undefined;
    const place = [channel && titleOf(state, channel), guild, "chatd"].filter(Boolean).join(" · ");
    return (mentions > 0 ? `(${mentions}) ` : "") + place;
  });
  useEffect(() => {
    document.title = title;
  }, [title]);
  return null;
}

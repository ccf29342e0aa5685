/** Friends, requests and blocks: what the page shows when no private channel is open. */

import {useState} from "../vendor/hooks.js";
import {t} from "../lang/translate.js";
import {befriend, block, endRelationship} from "../net/guild_actions.js";
import {rest} from "../net/session.js";
import {nameOf} from "../state/select.js";
import {until} from "../state/store.js";
import {Avatar} from "./avatar.js";
import {confirm} from "./confirm.js";
import {Field, Form} from "./form.js";
import {html} from "./html.js";
import {MenuButton} from "./menu.js";
import {openNewGuild} from "./rail.js";
import {go, pathOf} from "./route.js";
import {useTask} from "./task.js";
import {useSelect} from "./use.js";

const FRIEND = 1;
const BLOCKED = 2;
const INCOMING = 3;
const OUTGOING = 4;

/** Open the private channel with a user. @param {string} id */
export async function openPrivate(id) {
  const channel = await rest.post("/users/@me/channels", {recipient_id: id});
  await until((state) => channel.id in state.privates);
  go(pathOf(null, channel.id));
}

export function Friends() {
  const relationships = useSelect((state) => state.relationships);
  const presences = useSelect((state) => state.presences);
  const hasNoGuilds = useSelect((state) => Object.keys(state.guilds).length === 0);
  const all = Object.values(relationships);
  const isOnline = (/** @type {any} */ each) => each.id in presences;
  const friends = all
    .filter((each) => each.type === FRIEND)
    .sort((a, b) => Number(isOnline(b)) - Number(isOnline(a)) || a.user.username.localeCompare(b.user.username));
  const of = (/** @type {number} */ type) => all.filter((each) => each.type === type);
  return html`<main id="main" class="friends">
    ${hasNoGuilds && html`<${Welcome} />`}
    <h1>${t("friends")}</h1>
    <${AddFriend} />
    <${List} title=${t("friend-requests")} people=${of(INCOMING)} actions=${Incoming} />
    <${List} title=${t("sent-requests")} people=${of(OUTGOING)} actions=${Outgoing} />
    <${List}
      title=${t("friends-count", {online: friends.filter(isOnline).length, count: friends.length})}
      people=${friends}
      actions=${Friend}
    />
    ${all.length === 0 && html`<p class="muted">${t("no-friends")}</p>`}
    <${List} title=${t("blocked")} people=${of(BLOCKED)} actions=${Blocked} />
  </main>`;
}

/** What a new user does first. */
const Welcome = () =>
  html`<section class="welcome" aria-label=${t("welcome")}>
    <h1>${t("welcome")}</h1>
    <p>${t("no-guilds")}</p>
    <button type="button" class="primary" onClick=${openNewGuild}>${t("new-guild")}</button>
  </section>`;

function AddFriend() {
  const [text, setText] = useState("");
  const [serial, setSerial] = useState(0);
  const add = async (/** @type {Record<string, string>} */ {username}) => {
    setText("");
    await rest.post("/users/@me/relationships", {username, discriminator: null});
    setText(t("request-sent"));
    setSerial(serial + 1); // an empty field for the next one
  };
  return html`<${Form} onSubmit=${add} submit=${t("send")}>
      <${Field} key=${serial} label=${t("add-friend")} name="username" />
    <//>
    <p role="status">${text}</p>`;
}

/** @param {{title: string, people: any[], actions: any}} properties */
const List = ({title, people, actions}) =>
  people.length > 0 &&
  html`<section aria-label=${title}>
    <h2>${title}</h2>
    <ul>
      ${people.map((each) => html`<${Person} key=${each.id} relation=${each} actions=${actions} />`)}
    </ul>
  </section>`;

/** @param {{relation: any, actions: any}} properties */
function Person({relation, actions: Actions}) {
  const {user} = relation;
  const status = useSelect((state) => state.presences[user.id] ?? "offline");
  const name = useSelect((state) => nameOf(state, user));
  const task = useTask();
  const act = (/** @type {() => Promise<unknown>} */ run) => () => task.run(run);
  return html`<li class="person">
      <${Avatar} user=${user} status=${relation.type === FRIEND ? status : undefined} />
      <span class="name">${name}<small>${user.username}</small></span>
      <${Actions} id=${relation.id} name=${name} act=${act} isBusy=${task.isBusy} />
    </li>
    ${task.error && html`<li class="error" role="alert">${task.error}</li>`}`;
}

/**
 * @typedef {{id: string, name: string, isBusy: boolean,
 *   act: (run: () => Promise<unknown>) => () => unknown}} Actions
 * @param {Actions} properties
 */
const Incoming = ({id, act, isBusy}) =>
  html`<button type="button" class="primary" disabled=${isBusy} onClick=${act(() => befriend(id))}>${t("accept")}</button>
    <button type="button" disabled=${isBusy} onClick=${act(() => endRelationship(id))}>${t("decline")}</button>`;

/** @param {Actions} properties */
const Outgoing = ({id, act, isBusy}) =>
  html`<button type="button" disabled=${isBusy} onClick=${act(() => endRelationship(id))}>${t("withdraw")}</button>`;

/** @param {Actions} properties */
const Blocked = ({id, act, isBusy}) =>
  html`<button type="button" disabled=${isBusy} onClick=${act(() => endRelationship(id))}>${t("unblock")}</button>`;

/** @param {Actions} properties */
const Friend = ({id, name, act, isBusy}) =>
  html`<button type="button" disabled=${isBusy} onClick=${act(() => openPrivate(id))}>${t("message-user")}</button>
    <${MenuButton}
      label=${t("menu-of", {name})}
      items=${() => [
        {label: t("remove-friend"), run: () => ask("remove-friend", "remove-friend-about", name, () => endRelationship(id))},
        {label: t("block"), run: () => ask("block", "block-about", name, () => block(id)), isDangerous: true},
      ]}
    />`;

/** @param {string} title @param {string} text @param {string} name @param {() => Promise<unknown>} run */
const ask = (title, text, name, run) =>
  confirm({title: t(title), text: t(text, {name}), submit: t(title), run});

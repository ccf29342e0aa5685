/** Friends and requests: what the page shows when no private channel is open. */

import {useState} from "../vendor/hooks.js";
import {t} from "../lang/translate.js";
import {rest} from "../net/session.js";
import {nameOf} from "../state/select.js";
import {until} from "../state/store.js";
import {Avatar} from "./avatar.js";
import {reason} from "./errors.js";
import {Field, Form} from "./form.js";
import {html} from "./html.js";
import {go, pathOf} from "./route.js";
import {useSelect} from "./use.js";

const FRIEND = 1;
const INCOMING = 3;

/** Open the private channel with a user. @param {string} id */
export async function openPrivate(id) {
  const channel = await rest.post("/users/@me/channels", {recipient_id: id});
  await until((state) => channel.id in state.privates);
  go(pathOf(null, channel.id));
}

export function Friends() {
  const relationships = useSelect((state) => state.relationships);
  const hasNoGuilds = useSelect((state) => Object.keys(state.guilds).length === 0);
  const [text, setText] = useState("");
  const act = (/** @type {() => Promise<unknown>} */ run) => async () => {
    try {
      await run();
      setText("");
    } catch (error) {
      setText(reason(error));
    }
  };
  const all = Object.values(relationships);
  const add = async ({username}) => {
    await rest.post("/users/@me/relationships", {username, discriminator: null});
    setText(t("request-sent"));
  };
  return html`<main class="friends">
    ${hasNoGuilds && html`<p class="empty">${t("no-guilds")}</p>`}
    <h1>${t("friends")}</h1>
    <${Form} onSubmit=${add} submit=${t("send")}>
      <${Field} label=${t("add-friend")} name="username" />
    <//>
    <p role="status">${text}</p>
    <h2 hidden=${!all.some((each) => each.type === INCOMING)}>${t("friend-requests")}</h2>
    <ul>
      ${all
        .filter((each) => each.type === INCOMING)
        .map(
          (each) => html`<${Person} key=${each.id} user=${each.user}>
            <button type="button" onClick=${act(() => rest.put(`/users/@me/relationships/${each.id}`, {}))}>
              ${t("accept")}
            </button>
            <button type="button" onClick=${act(() => rest.delete(`/users/@me/relationships/${each.id}`))}>
              ${t("decline")}
            </button>
          <//>`,
        )}
    </ul>
    <ul>
      ${all
        .filter((each) => each.type === FRIEND)
        .map(
          (each) => html`<${Person} key=${each.id} user=${each.user}>
            <button type="button" onClick=${act(() => openPrivate(each.id))}>${t("message-user")}</button>
            <button type="button" onClick=${act(() => rest.delete(`/users/@me/relationships/${each.id}`))}>
              ${t("remove-friend")}
            </button>
          <//>`,
        )}
    </ul>
  </main>`;
}

/** @param {{user: any, children?: any}} properties */
function Person({user, children}) {
  const status = useSelect((state) => state.presences[user.id] ?? "offline");
  const name = useSelect((state) => nameOf(state, user));
  return html`<li class="person">
    <${Avatar} user=${user} status=${status} /><span class="name">${name}</span>${children}
  </li>`;
}

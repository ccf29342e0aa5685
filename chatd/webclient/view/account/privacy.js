/** Who may write to the user, and who is blocked. */

import {useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {changeSettings, settings, unblock} from "../../net/account_actions.js";
import {Avatar} from "../avatar.js";
import {reason} from "../../net/reasons.js";
import {html} from "../html.js";
import {Choice} from "../preferences.js";
import {useSelect} from "../use.js";
import {useLoaded} from "../use_loaded.js";

const BLOCKED = 2;

export function Privacy() {
  const {value: found, again, problem} = useLoaded(settings);
  const [text, setText] = useState("");
  const act = async (/** @type {() => Promise<unknown>} */ run) => {
    try {
      await run();
      setText(t("saved"));
    } catch (error) {
      setText(reason(error));
    }
  };
  const choose = (/** @type {string} */ direct_messages) =>
    act(async () => {
      await changeSettings({direct_messages});
      await again();
    });
  return html`${problem ??
    html`<${Choice}
      label=${t("direct-messages-from")}
      value=${/** @type {any} */ (found).direct_messages}
      options=${[
        ["guilds", t("direct-messages-guilds")],
        ["friends", t("direct-messages-friends")],
        ["nobody", t("direct-messages-nobody")],
      ]}
      onChoose=${choose}
    />`}
    <p role="status" class="done">${text}</p>
    <h3>${t("blocked-users")}</h3>
    <${Blocked} onUnblock=${(/** @type {string} */ id) => act(() => unblock(id))} />`;
}

/** @param {{onUnblock: (id: string) => void}} properties */
function Blocked({onUnblock}) {
  const relationships = useSelect((state) => state.relationships);
  const blocked = Object.values(relationships).filter((each) => each.type === BLOCKED);
  if (blocked.length === 0) return html`<p class="muted">${t("none-blocked")}</p>`;
  return html`<ul class="cards">
    ${blocked.map(
      ({id, user}) => html`<li key=${id}>
        <${Avatar} user=${user} />
        <span class="name">${user.global_name ?? user.username}<small>${user.username}</small></span>
        <button
          type="button"
          aria-label=${t("unblock-user", {name: user.username})}
          onClick=${() => onUnblock(id)}
        >
          ${t("unblock")}
        </button>
      </li>`,
    )}
  </ul>`;
}

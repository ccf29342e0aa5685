/** Groups: creating one with friends, naming it, adding and removing people. */

import {useState} from "../vendor/hooks.js";
import {t} from "../lang/translate.js";
import {addToGroup, changeChannel, createGroup, removeFromGroup} from "../net/guild_actions.js";
import {nameOf} from "../state/select.js";
import {until} from "../state/store.js";
import {Avatar} from "./avatar.js";
import {closeDialog} from "./dialog.js";
import {Form} from "./form.js";
import {html} from "./html.js";
import {go, pathOf} from "./route.js";
import {useTask} from "./task.js";
import {useSelect} from "./use.js";

const FRIEND = 1;
/** People in a group, the user included. Rule: Discord's limit. */
const MAX_RECIPIENTS = 10;

export function NewGroup() {
  const friends = useFriends();
  const [chosen, setChosen] = useState(/** @type {string[]} */ ([]));
  const toggle = (/** @type {string} */ id) =>
    setChosen(chosen.includes(id) ? chosen.filter((each) => each !== id) : [...chosen, id]);
  if (friends.length === 0) return html`<p class="muted">${t("no-friends")}</p>`;
  const create = async () => {
    const channel = await createGroup(chosen);
    await until((state) => channel.id in state.privates);
    closeDialog();
    go(pathOf(null, channel.id));
  };
  const isFull = chosen.length >= MAX_RECIPIENTS - 1;
  return html`<p class="muted">${t("new-group-about")}</p>
    <${Form} onSubmit=${create} submit=${t("create")} isDisabled=${chosen.length < 2}>
      <fieldset class="choices scrolling">
        <legend>${t("friends")}</legend>
        ${friends.map(
          (each) => html`<label key=${each.id}>
            <input
              type="checkbox"
              checked=${chosen.includes(each.id)}
              disabled=${isFull && !chosen.includes(each.id)}
              onChange=${() => toggle(each.id)}
            />
            <${Name} user=${each.user} />
          </label>`,
        )}
      </fieldset>
    <//>`;
}

/** @param {{id: string}} properties */
export function GroupSettings({id}) {
  const channel = useSelect((state) => state.privates[id]);
  const me = useSelect((state) => state.me?.id);
  const friends = useFriends();
  const [saved, setSaved] = useState("");
  const task = useTask();
  if (channel === undefined) return html`<p class="muted">${t("group-gone")}</p>`;
  const isOwner = channel.owner_id === me;
  const inside = new Set(channel.recipients.map((/** @type {any} */ each) => each.id));
  const outside = friends.filter((each) => !inside.has(each.id));
  const isFull = inside.size >= MAX_RECIPIENTS - 1;
  const rename = async (/** @type {Record<string, string>} */ {name}) => {
    await changeChannel(id, {name: name.trim() || null});
    setSaved(t("saved"));
  };
  return html`<${Form} onSubmit=${rename} submit=${t("save")}>
      <label class="field"
        >${t("group-name")}
        <input name="name" maxlength="100" autocomplete="off" defaultValue=${channel.name ?? ""} />
      </label>
      <p role="status" class="muted">${saved}</p>
    <//>
    ${task.error && html`<p class="error" role="alert">${task.error}</p>`}
    <h3>${t("people")}</h3>
    <ul class="people">
      ${channel.recipients.map(
        (/** @type {any} */ user) => html`<li class="person" key=${user.id}>
          <${Name} user=${user} />
          ${user.id === channel.owner_id && html`<small>${t("owner")}</small>`}
          ${isOwner &&
          html`<button type="button" disabled=${task.isBusy} onClick=${() => task.run(() => removeFromGroup(id, user.id))}>
            ${t("remove")}
          </button>`}
        </li>`,
      )}
    </ul>
    <h3>${t("add-people")}</h3>
    ${isFull && html`<p class="muted">${t("group-full")}</p>`}
    ${!isFull && outside.length === 0 && html`<p class="muted">${t("no-more-friends")}</p>`}
    <ul class="people" hidden=${isFull}>
      ${outside.map(
        (each) => html`<li class="person" key=${each.id}>
          <${Name} user=${each.user} />
          <button type="button" disabled=${task.isBusy} onClick=${() => task.run(() => addToGroup(id, each.id))}>
            ${t("add")}
          </button>
        </li>`,
      )}
    </ul>`;
}

const useFriends = () => {
  const all = useSelect((state) => state.relationships);
  return Object.values(all).filter((each) => each.type === FRIEND);
};

/** @param {{user: any}} properties */
function Name({user}) {
  const name = useSelect((state) => nameOf(state, user));
  return html`<${Avatar} user=${user} /><span class="name">${name}<small>${user.username}</small></span>`;
}

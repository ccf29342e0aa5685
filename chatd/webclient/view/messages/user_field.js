/** A field to choose a user by name. */

import {useId, useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {html} from "../html.js";
import {useMembers} from "./use_members.js";

/** @param {{name: string, label: string, channel: string, guild?: string}} properties */
export function UserField({name, label, channel, guild}) {
  const list = useId();
  const [text, setText] = useState("");
  const users = useMembers(channel, guild, text.trim().replace(/^@/, ""));
  const chosen = users.find((each) => nameOf(each).toLowerCase() === text.trim().replace(/^@/, "").toLowerCase());
  return html`<label class="field"
    >${label}
    <input
      list=${list}
      value=${text}
      autocomplete="off"
      placeholder=${t("username")}
      aria-invalid=${text.trim() !== "" && chosen === undefined}
      onInput=${(/** @type {any} */ event) => setText(event.target.value)}
    />
    <datalist id=${list}>${users.map((each) => html`<option key=${each.id} value=${nameOf(each)}>${each.global_name ?? ""}</option>`)}</datalist>
    <input type="hidden" name=${name} value=${text.trim() === "" ? "" : (chosen?.id ?? "0")} />
  </label>`;
}

/** @param {any} user */
const nameOf = (user) => user.username;

/** Choosing how long an invite is valid, and creating it. */

import {useState} from "../vendor/hooks.js";
import {t} from "../lang/translate.js";
import {createInvite} from "../net/guild_actions.js";
import {Form} from "./form.js";
import {html} from "./html.js";
import {CopyButton} from "./guild_settings/copy.js";
import {duration} from "./member_actions.js";

const DAY_S = 86_400;
/** How long an invite is valid, in seconds; 0 is for ever. */
const AGES = [1800, 3600, 6 * 3600, 12 * 3600, DAY_S, 7 * DAY_S, 30 * DAY_S, 0];
/** How often an invite can be used; 0 is without a limit. */
const USES = [0, 1, 5, 10, 25, 50, 100];

/** @param {{channel: string, onCreated?: () => void}} properties */
export function InviteForm({channel, onCreated}) {
  const [link, setLink] = useState("");
  const create = async (/** @type {Record<string, string>} */ {age, uses, temporary}) => {
    const invite = await createInvite(channel, {
      max_age: Number(age),
      max_uses: Number(uses),
      temporary: temporary === "on",
      unique: true,
    });
    setLink(`${location.origin}/invite/${invite.code}`);
    onCreated?.();
  };
  return html`<${Form} onSubmit=${create} submit=${t("create-invite")}>
      <label class="field"
        >${t("invite-age")}
        <select name="age">
          ${AGES.map((each) => html`<option key=${each} value=${each} selected=${each === DAY_S}>${each ? duration(each) : t("never")}</option>`)}
        </select>
      </label>
      <label class="field"
        >${t("invite-max-uses")}
        <select name="uses">
          ${USES.map((each) => html`<option key=${each} value=${each}>${each || t("unlimited")}</option>`)}
        </select>
      </label>
      <label class="check">
        <input type="checkbox" name="temporary" />
        <span>${t("invite-temporary")}<small>${t("invite-temporary-about")}</small></span>
      </label>
    <//>
    ${link &&
    html`<div class="created" role="status">
      <input readonly value=${link} aria-label=${t("new-invite-link")} />
      <${CopyButton} text=${link} label=${t("copy")} />
    </div>`}`;
}

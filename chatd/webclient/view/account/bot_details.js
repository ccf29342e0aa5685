/** What the owner of a bot can change: who may add it, what it may read; and the link to add it. */

import {useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {changeApplication} from "../../net/account_actions.js";
import {reason} from "../../net/reasons.js";
import {html} from "../html.js";
import {Copied} from "../copied.js";

/** Flags of the privileged intents. Rule: Discord docs, Application Flags. */
const INTENTS = [
  {flag: 1 << 13, text: () => t("intent-presences")},
  {flag: 1 << 15, text: () => t("intent-members")},
  {flag: 1 << 19, text: () => t("intent-content")},
];
/** Both flags of each intent: Discord has one for large and one for small bots. */
const both = (/** @type {number} */ flag) => flag | (flag >> 1);

/** View channels, send messages, embed links, attach files, read the history, add reactions. */
const USUAL_PERMISSIONS = 1024 | 2048 | 16384 | 32768 | 65536 | 64;

/** @param {{application: any, onChange: () => Promise<void>}} properties */
export function BotDetails({application, onChange}) {
  const [error, setError] = useState("");
  const change = async (/** @type {Record<string, any>} */ fields) => {
    try {
      await changeApplication(application.id, fields);
      setError("");
      await onChange();
    } catch (failure) {
      setError(reason(failure));
    }
  };
  const query = new URLSearchParams({
    client_id: application.id,
    scope: "bot applications.commands",
    permissions: String(USUAL_PERMISSIONS),
  });
  return html`<${Copied}
      label=${t("bot-link")}
      value=${`${location.origin}/oauth2/authorize?${query}`}
      hint=${t("bot-link-hint")}
      isLink=${true}
    />
    <${Toggle}
      label=${t("bot-public")}
      isOn=${application.bot_public}
      onChange=${(/** @type {boolean} */ bot_public) => change({bot_public})}
    />
    ${INTENTS.map(
      ({flag, text}) => html`<${Toggle}
        key=${flag}
        label=${text()}
        isOn=${(application.flags & both(flag)) !== 0}
        onChange=${(/** @type {boolean} */ isOn) =>
          change({flags: isOn ? application.flags | flag : application.flags & ~both(flag)})}
      />`,
    )}
    <p class="error" role="alert">${error}</p>`;
}

/** @param {{label: string, isOn: boolean, onChange: (isOn: boolean) => void}} properties */
export const Toggle = ({label, isOn, onChange}) => html`<label class="toggle"
  ><input
    type="checkbox"
    checked=${isOn}
    onChange=${(/** @type {any} */ event) => onChange(event.target.checked)}
  />
  ${label}
</label>`;

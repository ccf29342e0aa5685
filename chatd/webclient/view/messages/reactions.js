/** The reactions of a message; pointing at one shows the names. */

import {useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {reactedBy} from "../../net/messages.js";
import {nameOf} from "../../state/select.js";
import {state} from "../../state/store.js";
import {html} from "../html.js";
import {toggle} from "./actions.js";

/** Names that are shown of those that have reacted. */
const MAX_NAMES = 8;

/** @param {{message: any}} properties */
export const Reactions = ({message}) =>
  html`<ul class="reactions" aria-label=${t("reactions")}>
    ${message.reactions.map(
      (/** @type {any} */ each) => html`<li key=${each.emoji.id ?? each.emoji.name}>
        <${Reaction} message=${message} reaction=${each} />
      </li>`,
    )}
  </ul>`;

/** @param {{message: any, reaction: any}} properties */
function Reaction({message, reaction}) {
  const [names, setNames] = useState("");
  const {emoji, count, me} = reaction;
  const load = () =>
    reactedBy(message, emoji).then(
      (users) => {
        const known = users.slice(0, MAX_NAMES).map((/** @type {any} */ each) => nameOf(state.peek(), each));
        setNames(known.join(", ") + (count > MAX_NAMES ? " …" : ""));
      },
      () => {}, // the count is shown anyway
    );
  const shown = emoji.id ? `:${emoji.name}:` : emoji.name;
  return html`<button
    type="button"
    aria-pressed=${me}
    aria-label=${t("reaction-label", {emoji: shown, count})}
    title=${names || undefined}
    onMouseEnter=${load}
    onClick=${() => toggle(message, emoji)}
  >
    ${shown} <span>${count}</span>
  </button>`;
}

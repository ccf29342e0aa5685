/** The buttons of a message; all that can be done with it is in its menu. */

import {t} from "../../lang/translate.js";
import {state} from "../../state/store.js";
import {html} from "../html.js";
import {IconButton} from "../icons.js";
import {useSelect} from "../use.js";
import {actionsOf, perform, toggle} from "./actions.js";

/** Reactions that are one click away. */
const QUICK = ["👍", "❤️", "😂"];
const ICONS = {react: "smile", reply: "reply", edit: "pencil", menu: "more"};

/** @param {{message: any, name: string}} properties */
export function Tools({message, name}) {
  // A new list each time would render again at every event.
  const ids = useSelect((whole) => actionsOf(whole, message).map((each) => each.id).join(" ")).split(" ");
  const run = (/** @type {string} */ id) => (/** @type {any} */ event) => {
    const anchor = event.currentTarget;
    const action = actionsOf(state.peek(), message).find((each) => each.id === id);
    if (action) perform(action, message, anchor);
  };
  const labels = {react: t("react"), reply: t("reply"), edit: t("edit"), menu: t("message-menu")};
  return html`<div class="tools" role="group" aria-label=${name}>
    ${ids.includes("react") &&
    QUICK.map(
      (emoji) => html`<button
        type="button"
        class="icon"
        key=${emoji}
        aria-label=${t("react-with", {emoji})}
        onClick=${() => toggle(message, {id: null, name: emoji})}
      >
        ${emoji}
      </button>`,
    )}
    ${Object.entries(ICONS)
      .filter(([id]) => ids.includes(id))
      .map(
        ([id, icon]) => html`<${IconButton}
          key=${id}
          icon=${icon}
          label=${labels[/** @type {keyof typeof labels} */ (id)]}
          onClick=${run(id)}
        />`,
      )}
  </div>`;
}

/** The menu or the choice of emoji that is open at a message. */

import {t} from "../../lang/translate.js";
import {html} from "../html.js";
import {lazy} from "../lazy.js";
import {Menu} from "../menu.js";
import {Popover, back} from "../popover.js";
import {useSelect} from "../use.js";
import {actionsOf, perform, toggle} from "./actions.js";
import {opened} from "./ui.js";

const EmojiPicker = lazy(() => import("./emoji_picker.js"), "EmojiPicker");

export function Opened() {
  const here = opened.value;
  if (here === null) return null;
  const close = () => {
    opened.value = null;
  };
  if (here.kind === "menu") return html`<${MessageMenu} key=${here.message.id} ...${here} onClose=${close} />`;
  const choose = (/** @type {string} */ emoji) => {
    close();
    back(here.anchor);
    toggle(here.message, {id: null, name: emoji});
  };
  return html`<${Popover} anchor=${here.anchor} label=${t("react")} onClose=${close} className="emoji-window">
    <${EmojiPicker} onChoose=${choose} />
  <//>`;
}

/** @param {{message: any, anchor: Element, onClose: () => void}} properties */
function MessageMenu({message, anchor, onClose}) {
  const current = useSelect(
    (state) => state.timelines[message.channel_id]?.messages.find((each) => each.id === message.id) ?? message,
  );
  const state = useSelect((whole) => whole);
  const items = actionsOf(state, current)
    .filter((each) => each.id !== "menu")
    .map((action) => ({
      ...action,
      run: () => {
        const entry = anchor.closest("[data-id]") ?? anchor;
        back(entry); // and from there to what the action opens
        perform(action, current, entry);
      },
    }));
  const label = t("message-menu");
  return html`<${Popover} anchor=${anchor} label=${label} role="group" onClose=${onClose}>
    <${Menu} label=${label} items=${items} onClose=${onClose} />
  <//>`;
}

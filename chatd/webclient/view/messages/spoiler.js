/** A text or file that is hidden until the user wants to see it. */

import {useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {html} from "../html.js";

/** @param {{children?: any}} properties */
export function Spoiler({children}) {
  const [isShown, setShown] = useState(false);
  if (isShown) return html`<span class="spoiler" data-shown="true">${children}</span>`;
  const show = (/** @type {any} */ event) => {
    if (event.type === "keydown" && event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    setShown(true);
  };
  // Not a button: it may contain links, and it breaks over lines as text does.
  return html`<span
    class="spoiler"
    role="button"
    tabindex="0"
    aria-label=${t("spoiler")}
    title=${t("spoiler")}
    onClick=${show}
    onKeyDown=${show}
    ><span aria-hidden="true" inert>${children}</span></span
  >`;
}

/** The dialog that is open, at most one. */

import {useEffect, useRef} from "../vendor/hooks.js";
import {signal} from "../vendor/signals.js";
import {t} from "../lang/translate.js";
import {html} from "./html.js";
import {IconButton} from "./icons.js";

/** @type {import("../vendor/signals.js").Signal<{title: string, body: any} | null>} */
const opened = signal(null);

/** @param {string} title @param {any} body */
export function openDialog(title, body) {
  opened.value = {title, body};
}

export function closeDialog() {
  opened.value = null;
}

export function Dialog() {
  return opened.value && html`<${Open} ...${opened.value} />`;
}

/** @param {{title: string, body: any}} properties */
function Open({title, body}) {
  /** @type {any} */
  const element = useRef(null);
  // The browser keeps the focus inside, closes it with Escape, and gives the focus back.
  useEffect(() => element.current.showModal(), []);
  return html`<dialog ref=${element} aria-labelledby="dialog-title" onClose=${closeDialog}>
    <header>
      <h2 id="dialog-title">${title}</h2>
      <${IconButton} icon="close" label=${t("close")} onClick=${closeDialog} />
    </header>
    ${body}
  </dialog>`;
}

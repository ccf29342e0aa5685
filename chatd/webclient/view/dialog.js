/** The dialog that is open, at most one. */

import {useEffect, useId, useRef} from "../vendor/hooks.js";
import {signal} from "../vendor/signals.js";
import {t} from "../lang/translate.js";
import {Boundary} from "./boundary.js";
import {html} from "./html.js";
import {IconButton} from "./icons.js";
import {leave} from "./unsaved.js";
import {useCover} from "./use.js";

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
const Open = ({title, body}) => html`<${Window} title=${title} onClose=${closeDialog}>${body}<//>`;

/**
 * Show an element `dialog` as long as its view lasts. Before changes in it are lost, the user is asked.
 * @param {() => void} onClose
 */
export function useModal(onClose) {
  /** @type {any} */
  const ref = useRef(null);
  // The browser keeps the focus inside, closes it with Escape, and gives the focus back.
  useEffect(() => {
    const dialog = ref.current;
    dialog.showModal();
    return () => dialog.close();
  }, []);
  const close = () => leave(onClose, ref.current, () => ref.current?.open || ref.current?.showModal());
  const onCancel = (/** @type {Event} */ event) => {
    if (event.target !== ref.current) return; // a choice of files was cancelled
    event.preventDefault();
    close();
  };
  useCover(close);
  // The event of a dialog that is gone comes late: by then another one may be open.
  return {close, attributes: {ref, onCancel, onClose: () => ref.current !== null && close()}};
}

/**
 * A window over the page, until it is closed.
 * @param {{title: string, onClose: () => void, children?: any}} properties
 */
export function Window({title, onClose, children}) {
  const id = useId();
  const {close, attributes} = useModal(onClose);
  return html`<dialog aria-labelledby=${id} ...${attributes}>
    <header>
      <h2 id=${id}>${title}</h2>
      <${IconButton} icon="close" label=${t("close")} onClick=${close} />
    </header>
    <${Boundary}>${children}<//>
  </dialog>`;
}

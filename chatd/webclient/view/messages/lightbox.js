/** A picture as large as the window; the arrow keys show the other ones of the message. */

import {useEffect, useRef} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {html} from "../html.js";
import {IconButton} from "../icons.js";
import {useCover} from "../use.js";
import {local, size} from "./files.js";
import {shown} from "./lightbox_state.js";

/** @param {{files: any[], at: number, opener: HTMLElement}} properties */
export function Lightbox({files, at, opener}) {
  const element = useRef(/** @type {any} */ (null));
  useEffect(() => {
    element.current.showModal();
    return () => opener.focus({preventScroll: true});
  }, []);
  const file = files[at];
  const name = file.description || file.filename;
  const close = () => {
    shown.value = null;
  };
  useCover(close);
  const move = (/** @type {number} */ by) => {
    const next = (at + by + files.length) % files.length;
    shown.value = {files, at: next, opener};
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const isRtl = getComputedStyle(element.current).direction === "rtl";
    if (event.key === "ArrowLeft") move(isRtl ? 1 : -1);
    if (event.key === "ArrowRight") move(isRtl ? -1 : 1);
  };
  const onClick = (/** @type {any} */ event) => {
    if (event.target === element.current || event.target.tagName === "FIGURE") close();
  };
  return html`<dialog ref=${element} class="lightbox" aria-label=${name} onClose=${close} onKeyDown=${onKeyDown} onClick=${onClick}>
    <header>
      <p class="name"><bdi>${name}</bdi> <small class="muted">${file.width} × ${file.height} · ${size(file.size)}</small></p>
      <a href=${local(file.url)} download=${file.filename}>${t("download")}</a>
      <${IconButton} icon="close" label=${t("close")} onClick=${close} />
    </header>
    <figure><img key=${file.id} src=${local(file.url)} alt=${name} width=${file.width} height=${file.height} /></figure>
    ${files.length > 1 &&
    html`<footer>
      <button type="button" onClick=${() => move(-1)}>${t("previous")}</button>
      <span aria-live="polite">${t("picture-of", {at: at + 1, count: files.length})}</span>
      <button type="button" onClick=${() => move(1)}>${t("next")}</button>
    </footer>`}
  </dialog>`;
}

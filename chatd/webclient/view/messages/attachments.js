/** Files of messages: pictures, videos, sounds, and others to download. */

import {useEffect, useRef, useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {html} from "../html.js";
import {isSpoiler, local, size} from "./files.js";
import {openLightbox} from "./lightbox_state.js";

/** The longest sides of a preview, in pixels. */
const PREVIEW_PX = {width: 440, height: 320};

/** Types of pictures that may move. */
const MOVING = new Set(["image/gif", "image/webp", "image/apng"]);

/** @param {{files: any[], message: any}} properties */
export function Attachments({files}) {
  const pictures = files.filter(isPicture);
  return html`<div class="attachments">
    ${files.map((file) => html`<${Hidden} key=${file.id} file=${file}>
      <${Attachment} file=${file} pictures=${pictures} />
    <//>`)}
  </div>`;
}

/** @param {any} file */
const isPicture = (file) => file.content_type?.startsWith("image/") && file.width;

/** @param {{file: any, pictures: any[]}} properties */
function Attachment({file, pictures}) {
  const kind = file.content_type?.split("/")[0];
  if (isPicture(file)) return html`<${Picture} file=${file} pictures=${pictures} />`;
  if (kind === "video") return html`<${Medium} file=${file} kind="video" />`;
  if (kind === "audio") return html`<${Medium} file=${file} kind="audio" />`;
  return html`<${Download} file=${file} />`;
}

/** @param {{file: any, children?: any}} properties */
function Hidden({file, children}) {
  const [isShown, setShown] = useState(!isSpoiler(file));
  if (isShown) return children;
  const {width, height} = isPicture(file) ? fitted(file) : {width: 220, height: 56};
  return html`<button
    type="button"
    class="spoiler-file"
    style=${{inlineSize: `${width}px`, aspectRatio: `${width} / ${height}`}}
    onClick=${() => setShown(true)}
  >
    ${t("spoiler")}
  </button>`;
}

/** The size of a preview. It is known before the file is loaded, so that nothing moves. @param {any} file */
export function fitted({width, height}) {
  const scale = Math.min(1, PREVIEW_PX.width / width, PREVIEW_PX.height / height);
  return {width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale))};
}

/** @param {{file: any, pictures: any[]}} properties */
function Picture({file, pictures}) {
  const {width, height} = fitted(file);
  const name = file.description || file.filename;
  const open = (/** @type {any} */ event) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    openLightbox(pictures, pictures.indexOf(file), event.currentTarget);
  };
  return html`<a class="picture" href=${local(file.url)} target="_blank" rel="noopener" onClick=${open}>
    ${isUnwanted(file)
      ? html`<${Still} address=${local(file.url)} name=${name} width=${width} height=${height} />`
      : html`<img
          src=${local(file.url)}
          alt=${name}
          width=${width}
          height=${height}
          style=${{aspectRatio: `${width} / ${height}`}}
          loading="lazy"
          decoding="async"
        />`}
  </a>`;
}

/** Return whether a picture may move, and the user wants no motion. @param {any} file */
const isUnwanted = (file) =>
  MOVING.has(file.content_type) && matchMedia("(prefers-reduced-motion: reduce)").matches;

/** A picture that does not move. @param {{address: string, name: string, width: number, height: number}} properties */
function Still({address, name, width, height}) {
  const canvas = useRef(/** @type {any} */ (null));
  useEffect(() => {
    const image = new Image();
    image.src = address;
    const draw = () => canvas.current?.getContext("2d").drawImage(image, 0, 0, width, height);
    image.decode().then(draw, () => {}); // its name is there
  }, [address]);
  return html`<canvas ref=${canvas} role="img" aria-label=${name} width=${width} height=${height}></canvas>`;
}

/** @param {{file: any, kind: "video" | "audio"}} properties */
function Medium({file, kind}) {
  const name = file.description || file.filename;
  const {width, height} = file.width ? fitted(file) : {width: PREVIEW_PX.width, height: 248};
  return html`<figure class="medium">
    ${kind === "video"
      ? html`<video
          src=${local(file.url)}
          controls
          preload="metadata"
          width=${width}
          height=${height}
          style=${{aspectRatio: `${width} / ${height}`}}
          aria-label=${name}
        ></video>`
      : html`<audio src=${local(file.url)} controls preload="none" aria-label=${name}></audio>`}
    <figcaption><${Download} file=${file} /></figcaption>
  </figure>`;
}

/** @param {{file: any}} properties */
export const Download = ({file}) =>
  html`<p class="file">
    <a href=${local(file.url)} download=${file.filename}>${file.filename}</a>
    <small class="muted">${size(file.size)}</small>
    ${file.description && html`<small class="muted">${file.description}</small>`}
  </p>`;

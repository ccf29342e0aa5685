/**
 * Choosing the part of a picture that is shown: by dragging, or by sliders, which the keyboard moves.
 */

import {useEffect, useRef, useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {Form} from "../form.js";
import {html} from "../html.js";

/** Width and height of the result, in pixels. */
const SIZE = 256;
const MAX_ZOOM = 4;

/** @param {{file: File, onDone: (uri: string) => Promise<unknown>}} properties */
export function Crop({file, onDone}) {
  const canvas = useRef(/** @type {any} */ (null));
  const [picture, setPicture] = useState(/** @type {ImageBitmap | null} */ (null));
  const [hasFailed, setFailed] = useState(false);
  // `x` and `y` are the middle of the part, from 0 to 1 over the way that it can move.
  const [part, setPart] = useState({zoom: 1, x: 0.5, y: 0.5});
  useEffect(() => {
    createImageBitmap(file).then(setPicture, () => setFailed(true));
  }, [file]);
  useEffect(() => {
    if (picture !== null && canvas.current) draw(canvas.current, picture, part);
  }, [picture, part]);
  if (hasFailed) return html`<p class="error" role="alert">${t("picture-unreadable")}</p>`;
  if (picture === null) return html`<p role="status">${t("loading")}</p>`;

  const set = (/** @type {Partial<typeof part>} */ change) => setPart((last) => ({...last, ...change}));
  const drag = (/** @type {PointerEvent} */ event) => {
    if (event.buttons !== 1) return;
    const box = canvas.current.getBoundingClientRect();
    const {width, height, side} = sizes(picture, part.zoom);
    const scale = side / box.width;
    set({
      x: moved(part.x, event.movementX * scale, width - side),
      y: moved(part.y, event.movementY * scale, height - side),
    });
  };
  // A moving picture stays one only as it is.
  const isMoving = file.type === "image/gif";
  const done = () => onDone(canvas.current.toDataURL("image/png"));
  const asItIs = isMoving
    ? html`<button type="button" onClick=${async () => onDone(await dataUri(file))}>${t("picture-as-it-is")}</button>`
    : null;
  return html`<${Form} onSubmit=${done} submit=${t("use-picture")} more=${asItIs}>
    <canvas
      ref=${canvas}
      class="crop"
      width=${SIZE}
      height=${SIZE}
      role="img"
      aria-label=${t("picture-preview")}
      onPointerDown=${(/** @type {PointerEvent} */ event) => canvas.current.setPointerCapture(event.pointerId)}
      onPointerMove=${drag}
    ></canvas>
    <${Slider} label=${t("crop-zoom")} value=${part.zoom} min=${1} max=${MAX_ZOOM} onChange=${(/** @type {number} */ zoom) => set({zoom})} />
    <${Slider} label=${t("crop-across")} value=${part.x} min=${0} max=${1} onChange=${(/** @type {number} */ x) => set({x})} />
    <${Slider} label=${t("crop-down")} value=${part.y} min=${0} max=${1} onChange=${(/** @type {number} */ y) => set({y})} />
  <//>`;
}

/** @param {{label: string, value: number, min: number, max: number, onChange: (value: number) => void}} properties */
const Slider = ({label, value, min, max, onChange}) => html`<label class="field"
  ><span class="label">${label}</span>
  <input
    type="range"
    min=${min}
    max=${max}
    step="0.01"
    value=${value}
    onInput=${(/** @type {any} */ event) => onChange(Number(event.target.value))}
  />
</label>`;

/** @param {ImageBitmap} picture @param {number} zoom */
function sizes({width, height}, zoom) {
  return {width, height, side: Math.min(width, height) / zoom};
}

/** @param {number} at @param {number} by @param {number} room */
const moved = (at, by, room) => (room > 0 ? Math.min(1, Math.max(0, at - by / room)) : at);

/**
 * @param {HTMLCanvasElement} canvas
 * @param {ImageBitmap} picture
 * @param {{zoom: number, x: number, y: number}} part
 */
function draw(canvas, picture, {zoom, x, y}) {
  const {width, height, side} = sizes(picture, zoom);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.clearRect(0, 0, SIZE, SIZE);
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, x * (width - side), y * (height - side), side, side, 0, 0, SIZE, SIZE);
}

/** @param {File} file @returns {Promise<string>} */
function dataUri(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

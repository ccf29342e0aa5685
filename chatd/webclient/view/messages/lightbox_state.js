/** The picture that is shown large, with its neighbors in the message. */

import {signal} from "../../vendor/signals.js";

/** @type {import("../../vendor/signals.js").Signal<{files: any[], at: number, opener: HTMLElement} | null>} */
export const shown = signal(null);

/** @param {any[]} files @param {number} at @param {HTMLElement} opener which gets the focus back */
export function openLightbox(files, at, opener) {
  shown.value = {files, at, opener};
}

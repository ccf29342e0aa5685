/** QR codes of short texts, as a picture (ISO/IEC 18004). */

import {t} from "../../lang/translate.js";
import {encode} from "../../vendor/uqr.js";
import {html} from "../html.js";

/** Modules of white around the code, as the standard has it. */
const QUIET = 4;

/** @param {{text: string}} properties A text of a few hundred characters. */
export function QrCode({text}) {
  const {size, data} = encode(text, {ecc: "L", border: QUIET});
  const path = data
    .flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : "")))
    .join("");
  return html`<svg width="224" height="224" role="img" aria-label=${t("qr-code")} viewBox="0 0 ${size} ${size}">
    <path fill="#fff" d="M0 0h${size}v${size}H0z" />
    <path d=${path} />
  </svg>`;
}

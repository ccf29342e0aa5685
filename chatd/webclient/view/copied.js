/** A text to copy. */

import {useId, useState} from "../vendor/hooks.js";
import {t} from "../lang/translate.js";
import {copied} from "./clipboard.js";
import {html} from "./html.js";

/** @param {{label: string, value: string, hint?: string, isLink?: boolean}} properties */
export function Copied({label, value, hint = "", isLink = false}) {
  const [text, setText] = useState("");
  const id = useId();
  const copy = async () => {
    setText((await copied(value)) ? t("copied") : t("copy-by-hand"));
  };
  return html`<div class="field">
    <label for=${id} class="label">${label}</label>
    <div class="copy-line">
      <input id=${id} readonly value=${value} onFocus=${(/** @type {any} */ event) => event.target.select()} />
      <button type="button" aria-label=${t("copy-named", {name: label})} onClick=${copy}>${t("copy")}</button>
      ${isLink && html`<a href=${value} target="_blank" rel="noopener">${t("open")}</a>`}
    </div>
    <span class="muted" role="status">${text || hint}</span>
  </div>`;
}

/** A button that copies a text, and says so. */

import {useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {copied} from "../clipboard.js";
import {html} from "../html.js";

/** @param {{text: string, label: string}} properties */
export function CopyButton({text, label}) {
  const [state, setState] = useState("");
  const copy = async () => {
    setState((await copied(text)) ? "copied" : "refused");
  };
  return html`<button type="button" onClick=${copy}>${state === "copied" ? t("copied") : label}</button>
    <span role="status" class="visually-hidden">${state === "copied" ? t("copied") : ""}</span>
    ${state === "refused" && html`<input class="copied" readonly value=${text} aria-label=${label} />`}`;
}

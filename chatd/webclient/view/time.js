/** A moment, as people say it. */

import {locale} from "../lang/translate.js";
import {html} from "./html.js";

/** @param {{at: string}} properties */
export function Time({at}) {
  const moment = new Date(at);
  const style = /** @type {const} */ ({dateStyle: "medium", timeStyle: "short"});
  return html`<time datetime=${at}>${moment.toLocaleString(locale(), style)}</time>`;
}

/** Says that a request waits before it is repeated, to a user who waits for it. */

import {t} from "../lang/translate.js";
import {pause} from "../net/rest.js";
import {html} from "./html.js";

export function Pause() {
  const present = pause.value;
  if (present === null) return null;
  const text = present.isLimited ? t("waiting-limit", {seconds: Math.ceil(present.seconds)}) : t("waiting-server");
  return html`<p class="muted" role="status">${text}</p>`;
}

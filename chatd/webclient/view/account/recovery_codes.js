/** New recovery codes: the server shows them once, so the user has to keep them. */

import {useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {copied} from "../clipboard.js";
import {html} from "../html.js";
import {useFocus} from "../use.js";

/** @param {{codes: string[], onDone: () => void}} properties */
export function RecoveryCodes({codes, onDone}) {
  const heading = useFocus();
  const [text, setText] = useState("");
  const all = `${codes.join("\n")}\n`;
  const copy = async () => setText((await copied(all)) ? t("copied") : t("copy-by-hand"));
  const link = `data:text/plain;charset=utf-8,${encodeURIComponent(all)}`;
  return html`<section class="card" aria-labelledby="recovery-title">
    <h3 id="recovery-title" ref=${heading} tabindex="-1">${t("recovery-codes")}</h3>
    <p>${t("recovery-once")}</p>
    <ul>
      ${codes.map((each) => html`<li key=${each}><code>${each}</code></li>`)}
    </ul>
    <p class="muted" role="status">${text}</p>
    <div class="actions">
      <button type="button" onClick=${copy}>${t("copy")}</button>
      <a href=${link} download="chatd-recovery-codes.txt">${t("download")}</a>
      <button type="button" class="primary" onClick=${onDone}>${t("recovery-kept")}</button>
    </div>
  </section>`;
}

/** What a menu started and the server refused: a dialog says so. */

import {t} from "../lang/translate.js";
import {closeDialog, openDialog} from "./dialog.js";
import {reason} from "../net/reasons.js";
import {html} from "./html.js";

/** Run an action; say why it failed. @param {string} title @param {() => Promise<unknown>} act */
export async function attempt(title, act) {
  try {
    await act();
  } catch (error) {
    openDialog(
      title,
      html`<p class="error" role="alert">${reason(error)}</p>
        <div class="actions">
          <button type="button" onClick=${closeDialog}>${t("close")}</button>
          <button
            type="button"
            class="primary"
            onClick=${() => {
              closeDialog();
              attempt(title, act);
            }}
          >
            ${t("retry")}
          </button>
        </div>`,
    );
  }
}

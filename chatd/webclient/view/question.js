/** The form of a question before something is done. */

import {useState} from "../vendor/hooks.js";
import {t} from "../lang/translate.js";
import {closeDialog} from "./dialog.js";
import {Form} from "./form.js";
import {html} from "./html.js";

/** @param {{text: string, submit: string, act: (values: any) => Promise<void>, typed?: string,
 *   isDangerous?: boolean, children?: any}} properties */
export function Question({text, submit, act, typed, isDangerous, children}) {
  const [hint, setHint] = useState("");
  const onSubmit = async (/** @type {any} */ values) => {
    if (typed !== undefined && values.typed.trim() !== typed) {
      setHint(t("confirm-mismatch", {name: typed}));
      return;
    }
    setHint("");
    await act(values);
  };
  const cancel = html`<button type="button" onClick=${closeDialog}>${t("cancel")}</button>`;
  return html`${text && html`<p class="question">${text}</p>`}
    <${Form} onSubmit=${onSubmit} submit=${submit} more=${cancel} isDangerous=${isDangerous}>
      ${children}
      ${typed !== undefined &&
      html`<label class="field"
        >${t("confirm-type", {name: typed})}
        <input name="typed" autocomplete="off" required />
      </label>`}
      ${hint && html`<p class="error" role="alert">${hint}</p>`}
    <//>`;
}

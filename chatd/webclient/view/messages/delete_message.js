/** The question whether a message shall be deleted. */

import {t} from "../../lang/translate.js";
import {remove} from "../../net/messages.js";
import {state} from "../../state/store.js";
import {nameOf} from "../../state/select.js";
import {closeDialog} from "../dialog.js";
import {Form} from "../form.js";
import {html} from "../html.js";
import {useFocus} from "../use.js";

/** @param {{message: any, entry: Element}} properties */
export function DeleteMessage({message, entry}) {
  const cancel = useFocus();
  const end = (/** @type {Element | null} */ next) => {
    closeDialog();
    setTimeout(() => /** @type {any} */ (next)?.focus()); // nothing else can have it before it is closed
  };
  const submit = async () => {
    const next = entry.nextElementSibling ?? entry.previousElementSibling;
    await remove(message);
    end(next);
  };
  return html`<${Form}
    onSubmit=${submit}
    submit=${t("delete")}
    more=${html`<button type="button" ref=${cancel} onClick=${() => end(entry)}>${t("cancel")}</button>`}
  >
    <p>${t("delete-message-question")}</p>
    <blockquote class="quoted">
      <strong>${nameOf(state.peek(), message.author)}</strong>
      <p>${message.content.slice(0, 300) || t("message-without-text")}</p>
    </blockquote>
  <//>`;
}

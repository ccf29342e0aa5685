/** The field in which a message is changed. What is typed is kept until it is saved or given up. */

import {useLayoutEffect, useRef, useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {edit} from "../../net/messages.js";
import {reason} from "../../net/reasons.js";
import {html} from "../html.js";
import {editing, edits} from "./ui.js";

/** Rule: Discord docs, Edit Message. */
const MAX_LENGTH = 2000;

/** @param {{message: any}} properties */
export function Editor({message}) {
  const field = useRef(/** @type {any} */ (null));
  const [text, setText] = useState(() => edits.get(message.id) ?? message.content);
  const [error, setError] = useState("");
  const [isBusy, setBusy] = useState(false);
  // Before the user can select or type: an effect that runs after the first frame moved the cursor.
  useLayoutEffect(() => {
    field.current.focus({preventScroll: false});
    field.current.setSelectionRange(text.length, text.length);
  }, []);
  const end = () => {
    edits.delete(message.id);
    if (editing.value !== message.id) return; // the user edits another message by now
    const entry = field.current?.closest("[data-id]");
    editing.value = null;
    entry?.focus({preventScroll: true});
  };
  const content = text.trim();
  const left = MAX_LENGTH - [...content].length;
  const save = async () => {
    if (isBusy || left < 0) return;
    if (content === message.content) return end();
    if (content === "" && message.attachments.length === 0) return setError(t("edit-empty"));
    setBusy(true);
    setError("");
    const typed = edits.get(message.id);
    try {
      await edit(message, content);
      if (edits.get(message.id) === typed) end(); // what was typed since is not saved
    } catch (failure) {
      setError(reason(failure));
    } finally {
      setBusy(false);
    }
  };
  const onInput = (/** @type {any} */ event) => {
    setText(event.target.value);
    edits.set(message.id, event.target.value);
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    event.stopPropagation();
    if (event.key === "Escape") end();
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      save();
    }
  };
  const rows = Math.min(12, Math.max(2, text.split("\n").length));
  return html`<div class="editor">
    <textarea
      ref=${field}
      aria-label=${t("editing")}
      value=${text}
      onInput=${onInput}
      onKeyDown=${onKeyDown}
      rows=${rows}
      aria-invalid=${left < 0}
    ></textarea>
    <div class="actions">
      <small class="muted">${t("edit-keys")}</small>
      <button type="button" onClick=${end}>${t("cancel")}</button>
      <button type="button" class="primary" onClick=${save} disabled=${isBusy || left < 0}>${t("save")}</button>
    </div>
    ${(error || left < 0) && html`<p class="error" role="alert">${left < 0 ? t("too-long", {count: -left}) : error}</p>`}
  </div>`;
}

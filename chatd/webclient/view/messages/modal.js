/** The form (modal) that an application has opened. What is entered stays until it is submitted. */

import {useEffect, useRef, useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {ApiError} from "../../net/errors.js";
import {submitModal} from "../../net/interactions.js";
import {Window} from "../dialog.js";
import {reason} from "../../net/reasons.js";
import {html} from "../html.js";
import {Pause} from "../pause.js";
import {leave, useUnsaved} from "../unsaved.js";
import {Markdown} from "./markdown.js";
import {ModalField} from "./modal_fields.js";
import {fieldOf, initialValues, problemsOf, refusedFields, submission} from "./modal_values.js";
import {modals} from "./ui.js";

/** The server takes a form for so long after it was opened, in milliseconds. */
const LIFETIME_MS = 3_600_000;
/** Discord's code of an interaction that the server does not know any more. */
const UNKNOWN_INTERACTION = 10062;

export function Modals() {
  const [modal] = modals.value;
  return modal && html`<${Modal} key=${modal.id} modal=${modal} />`;
}

/** @param {{modal: any}} properties */
function Modal({modal}) {
  const [values, setValues] = useState(() => initialValues(modal));
  const [problems, setProblems] = useState(/** @type {Record<string, string>} */ ({}));
  const [error, setError] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [isChanged, setChanged] = useState(false);
  const form = useRef(/** @type {any} */ (null));
  useUnsaved(form, isChanged);
  const close = () => {
    modals.value = modals.value.filter((each) => each !== modal);
  };
  useEffect(() => {
    form.current.querySelector("input, textarea, select")?.focus();
    const timer = setTimeout(() => setError(t("modal-expired")), LIFETIME_MS);
    return () => clearTimeout(timer);
  }, []);
  useEffect(() => form.current.querySelector('[aria-invalid="true"]')?.focus(), [problems]);
  const submit = async () => {
    const found = problemsOf(modal, values);
    setProblems(found);
    setError("");
    if (Object.keys(found).length > 0) return;
    const {components, files} = submission(modal, values);
    setBusy(true);
    try {
      const outcome = await submitModal(modal, components, files);
      if (outcome.kind === "done") close();
      else setError(t("interaction-failed"));
    } catch (failure) {
      const refused = refusedFields(failure, modal);
      const isExpired = failure instanceof ApiError && failure.code === UNKNOWN_INTERACTION;
      setProblems(refused);
      if (isExpired) setError(t("modal-expired"));
      else if (Object.keys(refused).length === 0) setError(reason(failure));
    } finally {
      setBusy(false);
    }
  };
  const change = (/** @type {string} */ id, /** @type {any} */ value) => {
    setChanged(true);
    setValues((present) => ({...present, [id]: value}));
    setProblems(({[id]: _, ...others}) => others);
  };
  return html`<${Window} title=${modal.title} onClose=${close}>
    <p class="muted">${t("modal-of", {name: modal.application.name})}</p>
    <form
      ref=${form}
      class="modal"
      novalidate
      onSubmit=${(/** @type {Event} */ event) => {
        event.preventDefault();
        submit();
      }}
    >
      ${modal.components.map((/** @type {any} */ part, /** @type {number} */ at) => {
        const field = fieldOf(part);
        if (field === null) return html`<${Markdown} key=${at} text=${part.content ?? ""} />`;
        const id = field.component.custom_id;
        return html`<${ModalField}
          key=${at}
          ...${field}
          channel=${modal.channel_id}
          value=${values[id]}
          problem=${problems[id] ?? ""}
          onChange=${(/** @type {any} */ value) => change(id, value)}
        />`;
      })}
      <p class="error" role="alert">${error}</p>
      ${isBusy && html`<${Pause} />`}
      <div class="actions">
        <button type="button" onClick=${() => leave(close)}>${t("cancel")}</button>
        <button class="primary" disabled=${isBusy} aria-busy=${isBusy}>${t("submit")}</button>
      </div>
    </form>
  <//>`;
}

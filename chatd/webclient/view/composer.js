/** The field to write a message in. Its draft survives a reload. */

import {useEffect, useRef, useState} from "../vendor/hooks.js";
import {t} from "../lang/translate.js";
import {send, typed, typingEnded} from "../net/session.js";
import {ATTACH_FILES} from "../state/permissions.js";
import {may, nameOf} from "../state/select.js";
import {html} from "./html.js";
import {IconButton} from "./icons.js";
import {useSelect} from "./use.js";

const MAX_LENGTH = 2000;
const MAX_FILES = 10;
const MAX_ROWS = 12;

/** @param {{id: string, name: string, reply: any, onReply: (message: any) => void}} properties */
export function Composer({id, name, reply, onReply}) {
  const key = `chatd.draft.${id}`;
  const [text, setText] = useState(() => stored(key));
  const [files, setFiles] = useState(/** @type {File[]} */ ([]));
  const field = useRef(/** @type {any} */ (null));
  const picker = useRef(/** @type {any} */ (null));
  const mayAttach = useSelect((state) => may(state, id, ATTACH_FILES));
  const answered = useSelect((state) => (reply ? nameOf(state, reply.author, reply.guild_id) : ""));

  useEffect(() => field.current.focus(), [id, reply]);
  useEffect(() => store(key, text), [key, text]);
  useEffect(() => {
    const drop = (/** @type {DragEvent} */ event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      if (event.type === "drop") add(event.dataTransfer.files);
    };
    document.addEventListener("dragover", drop);
    document.addEventListener("drop", drop);
    return () => {
      document.removeEventListener("dragover", drop);
      document.removeEventListener("drop", drop);
    };
  }, [mayAttach]);

  const add = (/** @type {FileList} */ more) => {
    if (mayAttach) setFiles((present) => [...present, ...more].slice(0, MAX_FILES));
  };
  const submit = () => {
    const content = text.trim();
    if (content === "" && files.length === 0) return;
    send(id, {content, reply, files});
    typingEnded();
    setText("");
    setFiles([]);
    onReply(null);
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape") onReply(null);
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  };
  const onInput = (/** @type {any} */ event) => {
    setText(event.target.value);
    if (event.target.value.trim() !== "") typed(id);
  };
  const onPaste = (/** @type {ClipboardEvent} */ event) => {
    if (event.clipboardData && event.clipboardData.files.length > 0) add(event.clipboardData.files);
  };
  const rows = Math.min(MAX_ROWS, text.split("\n").length);
  return html`<form
    class="composer"
    onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      submit();
    }}
  >
    ${reply &&
    html`<p class="replying">
      ${t("replying-to", {name: answered})}
      <${IconButton} icon="close" label=${t("cancel")} onClick=${() => onReply(null)} />
    </p>`}
    ${files.length > 0 &&
    html`<ul class="files">
      ${files.map(
        (file, at) => html`<li key=${`${at} ${file.name}`}>
          ${file.name}
          <${IconButton}
            icon="close"
            label=${t("remove-file", {name: file.name})}
            onClick=${() => setFiles(files.filter((each) => each !== file))}
          />
        </li>`,
      )}
    </ul>`}
    <div class="line">
      ${mayAttach &&
      html`<${IconButton} icon="file" label=${t("attach")} onClick=${() => picker.current.click()} />
        <input
          ref=${picker}
          type="file"
          multiple
          hidden
          onChange=${(/** @type {any} */ event) => {
            add(event.target.files);
            event.target.value = "";
          }}
        />`}
      <textarea
        ref=${field}
        rows=${rows}
        maxlength=${MAX_LENGTH}
        aria-label=${t("write-to", {name})}
        placeholder=${t("write-to", {name})}
        value=${text}
        onInput=${onInput}
        onKeyDown=${onKeyDown}
        onPaste=${onPaste}
      ></textarea>
      <button class="primary" disabled=${text.trim() === "" && files.length === 0}>${t("send")}</button>
    </div>
  </form>`;
}

/** @param {string} key */
function stored(key) {
  try {
    return localStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

/** @param {string} key @param {string} text */
function store(key, text) {
  try {
    if (text === "") localStorage.removeItem(key);
    else localStorage.setItem(key, text);
  } catch {
    // The draft lasts as long as this page.
  }
}

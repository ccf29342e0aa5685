/** The field to write a message in. What is typed survives a reload, and a failure to send it. */

import {useEffect, useRef, useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {send, typed, typingEnded} from "../../net/messages.js";
import {ATTACH_FILES} from "../../state/permissions.js";
import {may, nameOf} from "../../state/select.js";
import {state, until} from "../../state/store.js";
import {html} from "../html.js";
import {IconButton} from "../icons.js";
import {lazy} from "../lazy.js";
import {Popover} from "../popover.js";
import {draggedFiles} from "../guards.js";
import {useSelect} from "../use.js";
import {placeOf, withMentions} from "./completion.js";
import {added, ComposerFiles, release, sent} from "./composer_files.js";
import {draftOf, keep} from "./drafts.js";
import {emojiOf} from "./emoji.js";
import {useSlowMode} from "./slow_mode.js";
import {isWritten} from "./system.js";
import {editing, replying} from "./ui.js";
import {useCompletion} from "./use_completion.js";

const EmojiPicker = lazy(() => import("./emoji_picker.js"), "EmojiPicker");

/** Rule: Discord docs, Create Message. */
const MAX_LENGTH = 2000;
/** The characters that are left are shown below this number. */
const SHOWN_LEFT = 200;
const MAX_ROWS = 12;
/** Keys that move the caret to another word. */
const SIDEWAYS = new Set(["ArrowLeft", "ArrowRight", "Home", "End"]);

/** @param {{id: string, name: string}} properties */
export function Composer({id, name}) {
  const [draft, setDraft] = useState(() => draftOf(id));
  const [refused, setRefused] = useState("");
  const [hasPicker, setPicker] = useState(false);
  const field = useRef(/** @type {any} */ (null));
  const chooser = useRef(/** @type {any} */ (null));
  const button = useRef(/** @type {any} */ (null));
  const latest = useRef(draft);
  latest.current = draft;
  const mayAttach = useSelect((whole) => may(whole, id, ATTACH_FILES));
  const reply = replying.value?.channel_id === id ? replying.value : null;
  const slow = useSlowMode(id);
  const {text, files} = draft;
  const content = withMentions(text.trim(), draft.mentions);
  const left = MAX_LENGTH - [...content].length;
  const canSend = (content !== "" || files.length > 0) && left >= 0 && slow.left === 0;

  const change = (/** @type {Partial<import("./drafts.js").Draft>} */ by) => {
    latest.current = {...latest.current, ...by};
    keep(id, latest.current);
    setDraft(latest.current);
  };
  /** Replace a part of the text, so that the user can undo it. */
  const write = (/** @type {number} */ from, /** @type {number} */ to, /** @type {string} */ next) => {
    field.current.focus();
    field.current.setSelectionRange(from, to);
    if (document.execCommand("insertText", false, next)) return; // the event of the field follows
    field.current.setRangeText(next, from, to, "end");
    change({text: field.current.value});
  };
  const completion = useCompletion({
    channel: id,
    text,
    field,
    onComplete: (from, to, {insert: name, stands}) => {
      if (stands) change({mentions: {...latest.current.mentions, [name.trim()]: stands}});
      write(from, to, name);
    },
  });
  const add = async (/** @type {FileList | DataTransfer} */ more) => {
    if (!mayAttach) return setRefused(t("cannot-attach"));
    const found = await added(latest.current.files, more);
    setRefused(found.refused);
    change({files: found.files});
  };
  useFocusOn(field, [id, reply]);
  useDrops(add);

  const submit = () => {
    if (!canSend) return;
    send(id, {
      content,
      reply,
      files: files.map(sent),
      descriptions: files.map((each) => each.description.trim()),
    });
    files.forEach(release);
    typingEnded();
    setRefused("");
    replying.value = null;
    change({text: "", mentions: {}, files: []});
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (completion.onKeyDown(event)) return;
    if (event.key === "Escape" && reply) replying.value = null;
    if (event.key === "ArrowUp" && text === "") return editLast(id, event);
    if (event.key !== "Enter" || event.shiftKey ) return;
    // On phones Enter is the only way to begin a line; in code a line is what is wanted.
    if (matchMedia("(pointer: coarse)").matches || placeOf(text, field.current.selectionStart) === "block") return;
    event.preventDefault();
    submit();
  };
  const onInput = (/** @type {any} */ event) => {
    const {value, selectionStart} = event.target;
    const code = /:([\w+-]{2,32}):$/.exec(value.slice(0, selectionStart));
    const found = code && emojiOf(code[1]);
    change({text: value});
    if (found && placeOf(value, selectionStart) === "text") {
      write(selectionStart - code[0].length, selectionStart, found);
    }
    if (value.trim() !== "") typed(id);
  };
  const insert = (/** @type {string} */ emoji) => {
    setPicker(false);
    const {selectionStart, selectionEnd} = field.current;
    write(selectionStart, selectionEnd, emoji);
  };
  const rows = Math.min(MAX_ROWS, text.split("\n").length);
  return html`<form
    class="composer"
    onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      submit();
      field.current.focus(); // the button, which had the focus, is disabled now
    }}
  >
    ${reply && html`<${Replying} message=${reply} />`}
    <${ComposerFiles} files=${files} onChange=${(/** @type {any} */ next) => change({files: next})} />
    ${refused && html`<p class="error" role="alert">${refused}</p>`}
    <div class="line">
      ${completion.list}
      ${mayAttach &&
      html`<${IconButton} icon="file" label=${t("attach")} onClick=${() => chooser.current.click()} />
        <input
          ref=${chooser}
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
        aria-label=${t("write-to", {name})}
        placeholder=${t("write-to", {name})}
        aria-invalid=${left < 0}
        value=${text}
        onInput=${onInput}
        onKeyDown=${onKeyDown}
        onKeyUp=${(/** @type {KeyboardEvent} */ event) => SIDEWAYS.has(event.key) && completion.look()}
        onBlur=${completion.close}
        onPaste=${(/** @type {ClipboardEvent} */ event) => {
          const {clipboardData: data} = event;
          if (!data?.files.length || isTable(data)) return;
          event.preventDefault();
          add(data);
        }}
        ...${completion.attributes}
      ></textarea>
      <span ref=${button}>
        <${IconButton} icon="smile" label=${t("emoji")} isExpanded=${hasPicker} onClick=${() => setPicker(!hasPicker)} />
      </span>
      <button class="primary" disabled=${!canSend}>${t("send")}</button>
    </div>
    <${Hint} left=${left} slow=${slow} />
    ${hasPicker &&
    html`<${Popover} anchor=${button.current} label=${t("emoji")} onClose=${() => setPicker(false)} className="emoji-window">
      <${EmojiPicker} onChoose=${insert} />
    <//>`}
  </form>`;
}

/** @param {{message: any}} properties */
function Replying({message}) {
  const name = useSelect((whole) => nameOf(whole, message.author, message.guild_id));
  return html`<p class="replying">
    <span class="name">${t("replying-to", {name})}</span>
    <${IconButton}
      icon="close"
      label=${t("cancel-reply")}
      onClick=${() => {
        replying.value = null;
      }}
    />
  </p>`;
}

/** What keeps the user from sending. @param {{left: number, slow: {every: number, left: number}}} properties */
function Hint({left, slow}) {
  const length = left < 0 ? t("too-long", {count: -left}) : left < SHOWN_LEFT ? t("characters-left", {count: left}) : "";
  const pause = slow.left > 0 ? t("slow-mode-left", {seconds: slow.left}) : slow.every > 0 ? t("slow-mode-every", {seconds: slow.every}) : "";
  if (!length && !pause) return null;
  return html`<p class="hint" data-problem=${left < 0}>
    <span>${pause}</span> <span role=${left < 0 ? "alert" : undefined}>${length}</span>
  </p>`;
}

/** Focus the field, unless that opens the keyboard of a phone. @param {any} field @param {any[]} when */
function useFocusOn(field, when) {
  useEffect(() => {
    if (!matchMedia("(pointer: coarse)").matches) field.current.focus();
  }, when);
}

/** Take files that are dropped anywhere on the page. @param {(files: DataTransfer) => void} add */
function useDrops(add) {
  const latest = useRef(add);
  latest.current = add;
  useEffect(() => {
    const drop = (/** @type {DragEvent} */ event) => {
      const files = draggedFiles(event);
      if (files === null) return;
      event.preventDefault();
      if (event.type === "drop") latest.current(files);
    };
    document.addEventListener("dragover", drop);
    document.addEventListener("drop", drop);
    return () => {
      document.removeEventListener("dragover", drop);
      document.removeEventListener("drop", drop);
    };
  }, []);
}

/**
 * Edit the user's last message. One that is being sent can be edited when the server has it: until
 * then the user waits in the empty field, or goes on.
 * @param {string} id @param {KeyboardEvent} event
 */
async function editLast(id, event) {
  const field = /** @type {HTMLTextAreaElement} */ (event.currentTarget);
  const isSending = () => state.peek().timelines[id]?.pending.some((each) => each.status === "sending");
  const last = () => {
    const present = state.peek();
    return present.timelines[id]?.messages.findLast((each) => each.author.id === present.me?.id && isWritten(each));
  };
  if (!isSending() && last() === undefined) return;
  event.preventDefault();
  const isWaiting = () => field === document.activeElement && field.value === "";
  while (isSending() && isWaiting()) await until(() => !isSending() || !isWaiting());
  if (isWaiting()) editing.value = last()?.id ?? null;
}

/** Return whether a text is pasted of which the office program has also copied a picture. @param {DataTransfer} data */
const isTable = ({types}) => types.includes("text/plain") && (types.includes("text/html") || types.includes("text/rtf"));

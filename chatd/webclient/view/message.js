/** One message, with what can be done with it. */

import {useState} from "../vendor/hooks.js";
import {t} from "../lang/translate.js";
import {edit, remove, toggleReaction} from "../net/session.js";
import {ADD_REACTIONS, MANAGE_MESSAGES} from "../state/permissions.js";
import {may, nameOf} from "../state/select.js";
import {Attachments, Embeds} from "./attachments.js";
import {Avatar} from "./avatar.js";
import {reason} from "./errors.js";
import {html} from "./html.js";
import {Markdown} from "./markdown.js";
import {useFocus, useSelect} from "./use.js";

/** Reactions that are one click away. */
const QUICK = ["👍", "❤️", "😂", "🎉"];
/** Types of messages that users write; the server writes the others. */
const WRITTEN = new Set([0, 19, 20, 23]);
/** Types of messages of the server that have a text here. Rule: Discord docs, Message Types. */
const SYSTEM = new Set([1, 2, 4, 5, 6, 7, 12]);

/** @param {any} message */
export const isWritten = (message) => WRITTEN.has(message.type);

/** @param {any} message */
function systemText({type, author, content, mentions}) {
  const name = author.global_name || author.username;
  const other = mentions[0]?.global_name || mentions[0]?.username || name;
  return SYSTEM.has(type) ? t(`system-${type}`, {name, other, content}) : content;
}

/** @param {{message: any, isContinued: boolean, onReply: (message: any) => void}} properties */
export function Message({message, isContinued, onReply}) {
  const me = useSelect((state) => state.me);
  const name = useSelect((state) => nameOf(state, message.author, message.guild_id));
  const mayManage = useSelect((state) => may(state, message.channel_id, MANAGE_MESSAGES, false));
  const mayReact = useSelect((state) => may(state, message.channel_id, ADD_REACTIONS));
  const [isEditing, setEditing] = useState(false);
  const [error, setError] = useState("");
  const isOwn = message.author.id === me?.id;
  const run = (/** @type {() => Promise<unknown>} */ act) => async () => {
    try {
      await act();
      setError("");
    } catch (failure) {
      setError(reason(failure));
    }
  };
  const isMentioned = message.mentions.some((/** @type {any} */ each) => each.id === me?.id);
  return html`<li class="message" data-id=${message.id} data-continued=${isContinued} data-mentioned=${isMentioned}>
    ${message.type === 19 && html`<${Replied} message=${message.referenced_message} />`}
    ${!isContinued && html`<${Avatar} user=${message.author} />`}
    <div class="body">
      ${!isContinued &&
      html`<p class="head"><strong class="author">${name}</strong> <${Time} at=${message.timestamp} /></p>`}
      ${isEditing
        ? html`<${Editor} message=${message} onEnd=${() => setEditing(false)} />`
        : html`<div class="content">
            ${isWritten(message)
              ? html`<${Markdown} text=${message.content} />`
              : html`<p class="muted">${systemText(message)}</p>`}
            ${message.edited_timestamp && html`<small class="muted">${t("edited")}</small>`}
          </div>`}
      <${Attachments} files=${message.attachments} />
      <${Embeds} embeds=${message.embeds} />
      <div class="reactions">
        ${(message.reactions ?? []).map(
          (/** @type {any} */ each) => html`<button
            type="button"
            key=${each.emoji.name}
            aria-pressed=${each.me}
            onClick=${run(() => toggleReaction(message, each.emoji.name))}
          >
            ${each.emoji.name} ${each.count}
          </button>`,
        )}
      </div>
      ${error && html`<p class="error" role="alert">${error}</p>`}
    </div>
    <div class="tools" role="group" aria-label=${name}>
      ${mayReact &&
      QUICK.map(
        (emoji) => html`<button
          type="button"
          key=${emoji}
          aria-label=${`${t("react")}: ${emoji}`}
          onClick=${run(() => toggleReaction(message, emoji))}
        >
          ${emoji}
        </button>`,
      )}
      <button type="button" onClick=${() => onReply(message)}>${t("reply")}</button>
      ${isOwn &&
      isWritten(message) &&
      html`<button type="button" onClick=${() => setEditing(true)}>${t("edit")}</button>`}
      ${(isOwn || mayManage) &&
      html`<button type="button" onClick=${run(() => remove(message))}>${t("delete")}</button>`}
    </div>
  </li>`;
}

/** @param {{message: any}} properties */
function Replied({message}) {
  const name = useSelect((state) => (message ? nameOf(state, message.author, message.guild_id) : ""));
  return html`<p class="replied">
    ↩ ${message ? html`<strong>${name}</strong> ${message.content.slice(0, 120)}` : t("deleted-reply")}
  </p>`;
}

/** @param {{message: any, onEnd: () => void}} properties */
function Editor({message, onEnd}) {
  const field = useFocus();
  const [error, setError] = useState("");
  const save = async () => {
    const content = field.current.value.trim();
    try {
      if (content !== "" && content !== message.content) await edit(message, content);
      onEnd();
    } catch (failure) {
      setError(reason(failure));
    }
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape") onEnd();
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      save();
    }
  };
  return html`<div class="editor">
    <textarea ref=${field} aria-label=${t("editing")} onKeyDown=${onKeyDown} rows="2">${message.content}</textarea>
    <div class="actions">
      <button type="button" onClick=${onEnd}>${t("cancel")}</button>
      <button type="button" class="primary" onClick=${save}>${t("save")}</button>
    </div>
    ${error && html`<p class="error" role="alert">${error}</p>`}
  </div>`;
}

/** @param {{at: string}} properties */
function Time({at}) {
  const moment = new Date(at);
  const text = moment.toLocaleTimeString(document.documentElement.lang, {timeStyle: "short"});
  return html`<time datetime=${at} title=${moment.toLocaleString()}>${text}</time>`;
}

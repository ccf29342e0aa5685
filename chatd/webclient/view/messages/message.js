/** One message. What can be done with it is shown when the user points at it or reaches it by keys. */

import {useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {nameOf, guildOfChannel} from "../../state/select.js";
import {Avatar} from "../avatar.js";
import {openCard} from "../card.js";
import {html} from "../html.js";
import {lazy} from "../lazy.js";
import {follow, pathOf} from "../route.js";
import {useSelect} from "../use.js";
import {Attachments} from "./attachments.js";
import {Editor} from "./editor.js";
import {Markdown} from "./markdown.js";
import {Time, clock, date} from "./message_time.js";
import {plain} from "./plain.js";
import {Reactions} from "./reactions.js";
import {isWritten, systemText} from "./system.js";
import {Tools} from "./tools.js";
import {useFailure, useIsEdited} from "./ui.js";

const Embeds = lazy(() => import("./embeds.js"), "Embeds");
const Components = lazy(() => import("./components.js"), "Components");

/** @param {{message: any, isContinued: boolean, guild?: string}} properties */
export function Message({message, isContinued, guild}) {
  const me = useSelect((state) => state.me?.id);
  const name = useSelect((state) => nameOf(state, message.author, guild));
  const color = useSelect((state) => colorOf(state, guild, message.author.id));
  const isEditing = useIsEdited(message.id);
  const error = useFailure(message.id);
  const [isReached, setReached] = useState(false);
  const isMentioned =
    message.mention_everyone || message.mentions.some((/** @type {any} */ each) => each.id === me);
  const leave = (/** @type {any} */ event) => {
    const entry = event.currentTarget;
    if (!entry.contains(event.relatedTarget) && !entry.contains(document.activeElement)) setReached(false);
  };
  return html`<li
    class="message"
    data-id=${message.id}
    data-continued=${isContinued}
    data-mentioned=${isMentioned}
    tabindex="-1"
    aria-label=${t("message-by", {name, time: clock(message.timestamp), text: spoken(message, guild)})}
    onMouseEnter=${() => setReached(true)}
    onMouseLeave=${leave}
    onFocusIn=${() => setReached(true)}
    onFocusOut=${leave}
  >
    ${message.type === 19 && html`<${Replied} message=${message.referenced_message} guild=${guild} />`}
    ${!isContinued && html`<${Avatar} user=${message.author} />`}
    <div class="body">
      ${!isContinued &&
      html`<p class="head">
        <${Author} message=${message} name=${name} guild=${guild} style=${color && {color}} />
        ${message.author.bot && html`<span class="tag">${t("app-tag")}</span>`}
        <${Time} at=${message.timestamp} />
        ${message.pinned && html`<small class="muted">${t("pinned")}</small>`}
      </p>`}
      ${isEditing
        ? html`<${Editor} message=${message} />`
        : html`<div class="content">
            ${isWritten(message)
              ? html`<${Markdown} text=${message.content} guild=${guild} />`
              : html`<p class="muted">${systemText(message)}</p>`}
            ${message.edited_timestamp &&
            html`<small class="muted" title=${date(message.edited_timestamp)}>${t("edited")}</small>`}
          </div>`}
      ${message.attachments.length > 0 && html`<${Attachments} files=${message.attachments} message=${message} />`}
      ${message.embeds.length > 0 && html`<${Embeds} embeds=${message.embeds} guild=${guild} />`}
      ${message.components?.length > 0 && html`<${Components} message=${message} />`}
      ${message.reactions?.length > 0 && html`<${Reactions} message=${message} />`}
      ${error && html`<p class="error" role="alert">${error}</p>`}
    </div>
    ${isReached && !isEditing && html`<${Tools} message=${message} name=${name} />`}
  </li>`;
}

/**
 * The name of an author, which opens the author's card. A webhook has none.
 * @param {{message: any, name: string, guild?: string, style: any}} properties
 */
function Author({message, name, guild, style}) {
  if (message.webhook_id) return html`<strong class="author" style=${style}>${name}</strong>`;
  const open = (/** @type {Event} */ event) => openCard(event, guild, message.author);
  return html`<strong class="author" style=${style}
    ><button type="button" tabindex="-1" onClick=${open}>${name}</button></strong
  >`;
}

/** What a screen reader says of a message that gets the focus. @param {any} message @param {string} [guild] */
const spoken = (message, guild) =>
  (isWritten(message) ? plain(message.content, guild) : systemText(message)).slice(0, 500) ||
  t("message-without-text");

/**
 * Return the color of a member's highest role that has one.
 * @param {import("../../state/shape.js").State} state @param {string | undefined} guild @param {string} user
 */
function colorOf(state, guild, user) {
  const known = guild === undefined ? undefined : state.guilds[guild];
  const roles = (known?.members[user]?.roles ?? [])
    .map((/** @type {string} */ id) => known?.roles[id])
    .filter((/** @type {any} */ each) => each?.color)
    .sort((/** @type {any} */ a, /** @type {any} */ b) => b.position - a.position);
  if (roles.length === 0) return "";
  const hex = `#${roles[0].color.toString(16).padStart(6, "0")}`;
  return `color-mix(in oklab, ${hex} 45%, var(--text))`; // readable on both backgrounds
}

/** What a message replies to. @param {{message: any, guild?: string}} properties */
function Replied({message, guild}) {
  const name = useSelect((state) => (message ? nameOf(state, message.author, guild) : ""));
  const place = useSelect((state) => (message ? guildOfChannel(state, message.channel_id)?.id : null));
  if (!message) return html`<p class="replied">↩ ${t("deleted-reply")}</p>`;
  const path = `${pathOf(place ?? null, message.channel_id)}/${message.id}`;
  const text = plain(message.content, guild).slice(0, 120) || t("message-without-text");
  return html`<p class="replied">
    <a href=${path} onClick=${follow} aria-label=${t("replied-to", {name, text})}
      >↩ <strong>${name}</strong> ${text}</a
    >
  </p>`;
}

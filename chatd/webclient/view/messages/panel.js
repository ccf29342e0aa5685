/** What stands beside the messages of a channel: found or pinned messages. */

import {useEffect, useRef} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {listeners} from "../../net/session.js";
import {channelOf, guildOfChannel, nameOf, titleOf} from "../../state/select.js";
import {Avatar} from "../avatar.js";
import {html} from "../html.js";
import {IconButton} from "../icons.js";
import {follow, pathOf} from "../route.js";
import {useSelect} from "../use.js";
import {Download} from "./attachments.js";
import {Embeds} from "./embeds.js";
import {Markdown} from "./markdown.js";
import {Time} from "./message_time.js";
import {panel} from "./ui.js";

/** @param {{label: string, children?: any}} properties */
export function Panel({label, children}) {
  const element = useRef(/** @type {any} */ (null));
  useEffect(() => {
    const before = document.activeElement;
    (element.current.querySelector("input") ?? element.current.querySelector("button")).focus();
    return () => /** @type {any} */ (before)?.focus?.();
  }, []);
  const close = () => {
    panel.value = null;
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape" && !event.defaultPrevented) close();
  };
  return html`<aside class="panel" aria-label=${label} ref=${element} onKeyDown=${onKeyDown}>
    <header><h2>${label}</h2><${IconButton} icon="close" label=${t("close")} onClick=${close} /></header>
    ${children}
  </aside>`;
}

/**
 * Keep the messages of a list as they are in their channels.
 * @param {(change: (messages: any[]) => any[]) => void} update
 */
export function useMessageEvents(update) {
  useEffect(() => {
    const without = (/** @type {string[]} */ ids) => update((present) => present.filter((each) => !ids.includes(each.id)));
    const listen = (/** @type {string} */ name, /** @type {any} */ data) => {
      if (name === "MESSAGE_DELETE") without([data.id]);
      if (name === "MESSAGE_DELETE_BULK") without(data.ids);
      if (name === "MESSAGE_UPDATE") {
        update((present) => present.map((each) => (each.id === data.id ? {...each, ...data} : each)));
      }
    };
    listeners.add(listen);
    return () => void listeners.delete(listen);
  }, []);
}

/**
 * A message that was found; choosing it shows it in its channel.
 * @param {{message: any, hasChannel?: boolean, children?: any}} properties
 */
export function Found({message, hasChannel = false, children}) {
  const guild = useSelect((state) => guildOfChannel(state, message.channel_id)?.id);
  const name = useSelect((state) => nameOf(state, message.author, guild));
  const channel = useSelect((state) => {
    const known = channelOf(state, message.channel_id);
    return known ? titleOf(state, known) : "";
  });
  const jump = (/** @type {MouseEvent} */ event) => {
    follow(event);
    if (matchMedia("(width < 60rem)").matches) panel.value = null; // it covers the messages
  };
  return html`<li class="found">
    ${hasChannel && html`<p class="muted">#${channel}</p>`}
    <p class="head"><${Avatar} user=${message.author} /><strong>${name}</strong> <${Time} at=${message.timestamp} hasDate=${true} /></p>
    <div class="content"><${Markdown} text=${message.content} guild=${guild} /></div>
    ${message.attachments.map((/** @type {any} */ file) => html`<${Download} key=${file.id} file=${file} />`)}
    <${Embeds} embeds=${message.embeds} guild=${guild} />
    <div class="actions">
      ${children}
      <a class="button" href=${`${pathOf(guild ?? null, message.channel_id)}/${message.id}`} onClick=${jump}>${t("jump")}</a>
    </div>
  </li>`;
}

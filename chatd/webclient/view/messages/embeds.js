/**
 * Embeds of messages. Pictures of other servers are links: loading them would give the reader's address
 * to a server that the author of the message has chosen.
 */

import {t} from "../../lang/translate.js";
import {html} from "../html.js";
import {fitted} from "./attachments.js";
import {local} from "./files.js";
import {Markdown} from "./markdown.js";
import {link} from "./markdown_inline.js";
import {Time} from "./message_time.js";

/** @param {{embeds: any[], guild?: string}} properties */
export const Embeds = ({embeds, guild}) => embeds.map((embed, at) => {
  const Shown = embed.type === "auto_moderation_message" ? Alert : Embed;
  return html`<${Shown} key=${at} embed=${embed} guild=${guild} />`;
});

/** A message that a rule of the guild has found, and what the rule did. @param {{embed: any, guild?: string}} properties */
function Alert({embed, guild}) {
  const value = (/** @type {string} */ name) =>
    embed.fields?.find((/** @type {any} */ each) => each.name === name)?.value ?? "";
  const rule = value("rule_name");
  const found = value("keyword_matched_content");
  return html`<article class="embed">
    <${Markdown} text=${embed.description ?? ""} guild=${guild} />
    <p class="muted embed-footer">
      ${t(value("decision_outcome") === "blocked" ? "alert-blocked" : "alert-flagged", {rule})}
      ${found && ` ${t("alert-found", {text: found})}`}
    </p>
    <${Markdown} text=${`<#${value("channel_id")}>`} guild=${guild} />
  </article>`;
}

/** @param {{embed: any, guild?: string}} properties */
function Embed({embed, guild}) {
  const color = typeof embed.color === "number" ? `#${embed.color.toString(16).padStart(6, "0")}` : undefined;
  return html`<article class="embed" style=${color && {borderInlineStartColor: color}}>
    ${embed.thumbnail && html`<${Picture} picture=${embed.thumbnail} name=${t("embed-picture")} className="thumbnail" />`}
    ${embed.provider?.name && html`<p class="muted"><${Linked} url=${embed.provider.url} text=${embed.provider.name} /></p>`}
    ${embed.author?.name &&
    html`<p class="embed-author"><${Icon} address=${embed.author.proxy_icon_url} /><${Linked} url=${embed.author.url} text=${embed.author.name} /></p>`}
    ${embed.title && html`<p class="embed-title"><${Linked} url=${embed.url} text=${embed.title} /></p>`}
    ${embed.description && html`<${Markdown} text=${embed.description} guild=${guild} />`}
    ${embed.fields?.length > 0 &&
    html`<dl class="fields">
      ${embed.fields.map(
        (/** @type {any} */ field, /** @type {number} */ at) => html`<div key=${at} data-inline=${Boolean(field.inline)}>
          <dt><${Markdown} text=${field.name} guild=${guild} /></dt>
          <dd><${Markdown} text=${field.value} guild=${guild} /></dd>
        </div>`,
      )}
    </dl>`}
    ${embed.image && html`<${Picture} picture=${embed.image} name=${t("embed-picture")} />`}
    ${embed.video?.url && html`<p><${Linked} url=${embed.video.url} text=${t("embed-video")} /></p>`}
    ${(embed.footer?.text || embed.timestamp) &&
    html`<p class="muted embed-footer">
      <${Icon} address=${embed.footer?.proxy_icon_url} /><bdi>${embed.footer?.text}</bdi>
      ${embed.footer?.text && embed.timestamp && " · "}
      ${embed.timestamp && html`<${Time} at=${embed.timestamp} hasDate=${true} />`}
    </p>`}
  </article>`;
}

/** @param {{address?: string}} properties */
const Icon = ({address}) =>
  address ? html`<img class="embed-icon" src=${local(address)} alt="" width="20" height="20" loading="lazy" />` : null;

/**
 * A picture of an embed with a `proxy_url` is a file of the message.
 * @param {{picture: any, name: string, className?: string, isFile?: boolean}} properties
 */
export function Picture({picture, name, className = "", isFile = Boolean(picture.proxy_url)}) {
  const alt = picture.description || name;
  if (!isFile) {
    const host = hostOf(picture.url);
    return host ? html`<p class=${`outside ${className}`}>${link(picture.url, t("picture-at", {name: alt, host}))}</p>` : null;
  }
  const size = picture.width ? fitted(picture) : {width: undefined, height: undefined};
  return html`<a class=${`picture ${className}`} href=${local(picture.proxy_url)} target="_blank" rel="noopener">
    <img src=${local(picture.proxy_url)} alt=${alt} ...${size} loading="lazy" />
  </a>`;
}

/** @param {string} address */
function hostOf(address) {
  try {
    return new URL(address).host;
  } catch {
    return "";
  }
}

/** @param {{url?: string, text: string}} properties */
const Linked = ({url, text}) => (url ? link(url, text) : text);

/** Files and embeds of messages. */

import {html} from "./html.js";
import {Markdown} from "./markdown.js";

/** The longest side of a preview, in pixels. */
const PREVIEW_PX = 400;

/** @param {{files: any[]}} properties */
export function Attachments({files}) {
  return files.map((file) => {
    if (file.content_type?.startsWith("image/") && file.width) {
      const scale = Math.min(1, PREVIEW_PX / Math.max(file.width, file.height));
      return html`<a class="picture" href=${local(file.url)} target="_blank" rel="noopener" key=${file.id}>
        <img
          src=${local(file.url)}
          alt=${file.description ?? file.filename}
          width=${Math.round(file.width * scale)}
          height=${Math.round(file.height * scale)}
          loading="lazy"
        />
      </a>`;
    }
    return html`<p class="file" key=${file.id}>
      <a href=${local(file.url)} download=${file.filename}>${file.filename}</a>
      <small class="muted"> ${size(file.size)}</small>
    </p>`;
  });
}

/**
 * Return the path of a file of this server. The page loads files from its own address, also where
 * PUBLIC_URL names another one.
 * @param {string} address
 */
function local(address) {
  const url = new URL(address, location.href);
  return url.pathname + url.search;
}

/** @param {{embeds: any[]}} properties */
export function Embeds({embeds}) {
  return embeds.map(
    (embed, at) => html`<article class="embed" key=${at}>
      ${embed.author?.name && html`<p class="muted">${embed.author.name}</p>`}
      ${embed.title && html`<p><strong><${Linked} url=${embed.url} text=${embed.title} /></strong></p>`}
      ${embed.description && html`<${Markdown} text=${embed.description} />`}
      ${(embed.fields ?? []).map(
        (/** @type {any} */ field, /** @type {number} */ index) => html`<div key=${index}>
          <strong>${field.name}</strong><${Markdown} text=${field.value} />
        </div>`,
      )}
      ${embed.footer?.text && html`<p class="muted">${embed.footer.text}</p>`}
    </article>`,
  );
}

/** @param {{url?: string, text: string}} properties */
function Linked({url, text}) {
  if (!url || !/^https?:\/\//.test(url)) return text;
  return html`<a href=${url} target="_blank" rel="noopener noreferrer nofollow">${text}</a>`;
}

/** @param {number} bytes */
function size(bytes) {
  const units = ["B", "KB", "MB", "GB"];
  let unit = 0;
  let number = bytes;
  while (number >= 1000 && unit < units.length - 1) {
    number /= 1000;
    unit += 1;
  }
  return `${number.toLocaleString(undefined, {maximumFractionDigits: 1})} ${units[unit]}`;
}

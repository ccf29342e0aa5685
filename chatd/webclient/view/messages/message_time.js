/** The moment of a message, in the reader's language and time zone. */

import {locale} from "../../lang/translate.js";
import {html} from "../html.js";

/**
 * Making a format takes a hundred times as long as its use, and one message may have hundreds of
 * moments.
 * @type {Map<string, Intl.DateTimeFormat>}
 */
const formats = new Map();

/** Return a moment as a text; an empty one if there is no such moment. @param {Date} moment @param {Intl.DateTimeFormatOptions} options */
export function formatted(moment, options) {
  if (Number.isNaN(moment.getTime())) return "";
  const language = locale();
  const key = `${language} ${options.dateStyle} ${options.timeStyle}`;
  let format = formats.get(key);
  if (format === undefined) {
    format = new Intl.DateTimeFormat(language, options);
    formats.set(key, format);
  }
  return format.format(moment);
}

/** @param {{at: string, hasDate?: boolean}} properties */
export function Time({at, hasDate = false}) {
  const text = hasDate ? date(at) : clock(at);
  const full = formatted(new Date(at), {dateStyle: "long", timeStyle: "medium"});
  return html`<time datetime=${at} title=${full}>${text}</time>`;
}

/** @param {string} at */
export const clock = (at) => formatted(new Date(at), {timeStyle: "short"});

/** @param {string} at */
export const date = (at) => formatted(new Date(at), {dateStyle: "medium", timeStyle: "short"});

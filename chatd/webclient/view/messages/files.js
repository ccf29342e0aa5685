/** Facts about files that several views show. */

import {locale} from "../../lang/translate.js";

/**
 * Return the path of a file of this server. The page loads files from its own address, also where
 * PUBLIC_URL names another one.
 * @param {string} address
 */
export function local(address) {
  const url = new URL(address, location.href);
  return url.pathname + url.search;
}

/** @param {number} bytes */
export function size(bytes) {
  const units = ["B", "KB", "MB", "GB"];
  let unit = 0;
  let number = bytes;
  while (number >= 1000 && unit < units.length - 1) {
    number /= 1000;
    unit += 1;
  }
  return `${number.toLocaleString(locale(), {maximumFractionDigits: 1})} ${units[unit]}`;
}

/** Return whether a file is hidden until the user wants to see it. @param {any} file */
export const isSpoiler = (file) => file.filename.startsWith("SPOILER_") || ((file.flags ?? 0) & 8) !== 0;

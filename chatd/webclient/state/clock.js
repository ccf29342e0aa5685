/** The time of the server: the clock of this computer may be wrong. */

/** Differences up to this are those of rounding and of the network, in milliseconds. */
const EXACT_MS = 5000;

let difference = 0;

/** Note when the server has answered. @param {string | null} date The header Date of an answer. */
export function noteTime(date) {
  const found = Date.parse(date ?? "") - Date.now();
  if (!Number.isNaN(found)) difference = Math.abs(found) > EXACT_MS ? found : 0;
}

/** Milliseconds since 1970, by the clock of the server. */
export const now = () => Date.now() + difference;

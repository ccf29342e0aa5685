/** The limits of messages, as the server has them. */

import {rest} from "./session.js";

/** @type {Promise<any> | null} */
let loaded = null;

/** @returns {Promise<{maxAttachments: number, maxAttachmentSize: number}>} */
export function limits() {
  loaded ??= rest.get("/policies/instance/limits").then(
    (answer) => answer.message,
    () => {
      loaded = null; // the server checks anyway; the next file asks again
      return {maxAttachments: 10, maxAttachmentSize: Number.POSITIVE_INFINITY};
    },
  );
  return /** @type {Promise<any>} */ (loaded);
}

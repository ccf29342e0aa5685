/** What an error says to the user, and what to do. */

import {t} from "../lang/translate.js";
import {ApiError, Unreachable} from "../net/errors.js";

/** @param {unknown} error @returns {string} */
export function reason(error) {
  if (error instanceof Unreachable) return t("error-unreachable");
  if (!(error instanceof ApiError)) throw error;
  if (error.status === 429) return t("error-rate-limited", {seconds: Math.ceil(error.retryAfter)});
  if (error.status >= 500) return t("error-server");
  return error.details.join(" ") || error.message;
}

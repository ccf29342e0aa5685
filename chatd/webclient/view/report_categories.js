/** Why something is reported, and what administrators decide. Rule: chatd/core/reports.py. */

import {t} from "../lang/translate.js";

export const CATEGORIES = /** @type {[string, () => string][]} */ ([
  ["spam", () => t("category-spam")],
  ["harassment", () => t("category-harassment")],
  ["hate", () => t("category-hate")],
  ["violence", () => t("category-violence")],
  ["self_harm", () => t("category-self-harm")],
  ["sexual", () => t("category-sexual")],
  ["child_safety", () => t("category-child-safety")],
  ["illegal", () => t("category-illegal")],
  ["impersonation", () => t("category-impersonation")],
  ["malware", () => t("category-malware")],
  ["other", () => t("category-other")],
]);

/** The kinds of subjects that each outcome is for. */
export const OUTCOMES = /** @type {[string, () => string, string[]][]} */ ([
  ["no_action", () => t("outcome-no-action"), ["message", "user", "guild"]],
  ["message_deleted", () => t("outcome-message-deleted"), ["message"]],
  ["user_warned", () => t("outcome-user-warned"), ["message", "user"]],
  ["user_disabled", () => t("outcome-user-disabled"), ["message", "user"]],
  ["guild_deleted", () => t("outcome-guild-deleted"), ["guild"]],
  ["other", () => t("outcome-other"), ["message", "user", "guild"]],
]);

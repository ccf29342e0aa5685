/** What an error says to the user, and what to do. */

import {t} from "../lang/translate.js";
import {ApiError, Unreachable} from "./errors.js";

/** Errors of fields that people meet often, in their language; others are as the server says. */
const KNOWN = {
  ACCOUNT_AWAITS_APPROVAL: () => t("error-awaits-approval"),
  BASE_TYPE_REQUIRED: () => t("error-required"),
  EMAIL_ALREADY_REGISTERED: () => t("error-email-taken"),
  EMAIL_DOMAIN_BLOCKED: () => t("error-email-domain"),
  EMAIL_TYPE_INVALID_EMAIL: () => t("error-email-invalid"),
  LAST_WAY_TO_LOG_IN: () => t("error-last-way"),
  LOGIN_EXPIRED: () => t("error-login-expired"),
  LOGIN_TOO_OLD: () => t("error-login-old"),
  INVALID_LOGIN: () => t("error-login"),
  INVITATION_INVALID: () => t("error-registration-code"),
  PASSWORD_DOES_NOT_MATCH: () => t("error-password"),
  TOKEN_INVALID: () => t("error-link"),
  PASSWORD_TOO_COMMON: () => t("error-password-common"),
  USERNAME_ALREADY_TAKEN: () => t("error-username-taken"),
};
/** Errors of whole requests, by Discord's codes. */
const BY_CODE = {
  20013: () => t("error-disabled"),
  40006: () => t("error-invites-paused"),
  40007: () => t("error-banned"),
  50001: () => t("error-forbidden"),
  50013: () => t("error-forbidden"),
  60003: () => t("error-factor"),
  60006: () => t("factor-expired"),
  60008: () => t("error-code"),
  80000: () => t("error-no-requests"),
  80004: () => t("error-no-such-user"),
  80007: () => t("error-friends-already"),
};

const BLOCKED = 200000;
const BLOCKED_WITHOUT_TEXT = "Message was blocked by automatic moderation";

/** Why a rule of the guild has blocked a message: the text of the rule, if it has one. @param {string} text */
const blocked = (text) =>
  text === BLOCKED_WITHOUT_TEXT ? t("error-blocked") : t("error-blocked-because", {text});

/** @param {unknown} error @returns {string} */
export function reason(error) {
  if (error instanceof Unreachable) return t("error-unreachable");
  if (!(error instanceof ApiError)) throw error;
  if (error.status === 429) return t("error-rate-limited", {seconds: Math.ceil(error.retryAfter)});
  const known = BY_CODE[/** @type {keyof typeof BY_CODE} */ (error.code)];
  if (known !== undefined) return known();
  if (error.code === BLOCKED) return blocked(error.message);
  if (error.status === 404) return t("error-gone");
  if (error.status >= 500) return t("error-server");
  return all(error.errors).join(" ") || error.message;
}

/**
 * Return the errors of single fields by their names, and a text for all others.
 * @param {unknown} error
 * @param {Iterable<string>} names The fields that can show an error.
 * @returns {{fields: Record<string, string>, rest: string}}
 */
export function reasons(error, names) {
  if (!(error instanceof ApiError) || error.status !== 400) return {fields: {}, rest: reason(error)};
  /** @type {Record<string, string>} */
  const fields = {};
  for (const name of names) {
    if (name in error.errors) fields[name] = all(error.errors[name]).join(" ");
  }
  const others = Object.entries(error.errors).filter(([name]) => !(name in fields));
  const texts = others.flatMap(([, each]) => all(each));
  const isExplained = Object.keys(fields).length > 0 || texts.length > 0;
  return {fields, rest: isExplained ? texts.join(" ") : reason(error)};
}

/**
 * Return the texts of all errors.
 * @param {any} errors Nested as the body of the request was. @returns {string[]}
 */
export function all(errors) {
  if (errors === null || typeof errors !== "object") return [];
  return Object.entries(errors).flatMap(([name, each]) =>
    name === "_errors" ? each.map(said) : all(each),
  );
}

/** @param {{code: string, message: string}} error */
const said = ({code, message}) => KNOWN[/** @type {keyof typeof KNOWN} */ (code)]?.() ?? message;

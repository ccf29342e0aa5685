/** What users do with their own account, its logins and its applications. */

import {rest} from "./session.js";

/** Hashes of one request. Rule: the schema EndedLogins. */
const MAX_ENDED = 200;

/** Change fields of the account. @param {Record<string, any>} change */
export const changeAccount = (change) => rest.patch("/users/@me", change);

/** What the server permits before a login, and whether it sends mail (`can_recover_account`). */
export const serverRules = () => rest.get("/policies/instance/config");

/** Send the mail again that verifies the address. */
export const resendVerification = () => rest.post("/auth/verify/resend");

/** @param {string} password */
export const deleteAccount = (password) => rest.post("/users/@me/delete", {password});

/** Return the logins, this one first, then the most recently used. @returns {Promise<any[]>} */
export async function logins() {
  const found = (await rest.get("/auth/sessions")).user_sessions;
  const order = (/** @type {any} */ each) => (each.current ? "~" : each.approx_last_used_time);
  return found.sort((/** @type {any} */ a, /** @type {any} */ b) => (order(a) < order(b) ? 1 : -1));
}

/** End logins, by their hashes. @param {string[]} hashes */
export async function endLogins(hashes) {
  for (let at = 0; at < hashes.length; at += MAX_ENDED) {
    const session_id_hashes = hashes.slice(at, at + MAX_ENDED);
    await rest.post("/auth/sessions/logout", {session_id_hashes});
  }
}

export const settings = () => rest.get("/users/@me/settings");

/** @param {Record<string, any>} change */
export const changeSettings = (change) => rest.patch("/users/@me/settings", change);

/** Applications that the user has added to the account. */
export const authorizations = () => rest.get("/oauth2/tokens");

/** @param {string} id */
export const revokeAuthorization = (id) => rest.delete(`/oauth2/tokens/${id}`);

/** Applications of the user, with their bots. */
export const applications = () => rest.get("/applications");

/** @param {{name: string, bot_public: boolean}} wanted */
export const createApplication = (wanted) => rest.post("/applications", wanted);

/** @param {string} id @param {Record<string, any>} change */
export const changeApplication = (id, change) => rest.patch(`/applications/${id}`, change);

/** @param {string} id */
export const deleteApplication = (id) => rest.delete(`/applications/${id}`);

/** Return a new token of a bot; the former one is not valid any more. @param {string} id */
export const resetToken = async (id) => (await rest.post(`/applications/${id}/bot/reset`)).token;

/** @param {string} id */
export const unblock = (id) => rest.delete(`/users/@me/relationships/${id}`);

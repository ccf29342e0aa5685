/** Second factors of the user: codes of an app, passkeys, and recovery codes. */

import {rest} from "./session.js";

const MFA = "/users/@me/mfa";
const PASSKEYS = `${MFA}/webauthn/credentials`;
/** Of a secret: 160 bits, as RFC 4226 recommends. */
const SECRET_BYTES = 20;
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** Whether this browser can use passkeys: it does on https and on localhost only. */
export const hasPasskeys = () => "PublicKeyCredential" in window;

/** @param {{ticket: string}} mfa @param {string} mfa_type @param {string} data @returns {Promise<string>} */
export const confirmFactor = async ({ticket}, mfa_type, data) =>
  (await rest.post("/mfa/finish", {ticket, mfa_type, data})).token;

/** Return a new secret for codes, in Base32. */
export function newSecret() {
  const bytes = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  const bits = [...bytes].map((each) => each.toString(2).padStart(8, "0")).join("");
  return bits.replace(/.{5}/g, (each) => BASE32[parseInt(each, 2)]);
}

/** Return the address that an app reads a secret from. @param {string} secret @param {string} user */
export function secretUri(secret, user) {
  const [issuer, name] = [location.host, user].map(encodeURIComponent);
  return `otpauth://totp/${issuer}:${name}?secret=${secret}&issuer=${issuer}`;
}

/** @param {{password: string, secret: string, code: string}} wanted @returns {Promise<string[]>} */
export const enableCodes = async (wanted) => codesOf(await rest.post(`${MFA}/totp/enable`, wanted));

export const disableCodes = () => rest.post(`${MFA}/totp/disable`);

/** Replace the recovery codes. @param {string} password @returns {Promise<string[]>} */
export const newRecoveryCodes = async (password) =>
  codesOf(await rest.post(`${MFA}/codes`, {password, regenerate: true}));

/** @returns {Promise<any[]>} */
export const passkeys = () => rest.get(PASSKEYS);

/** @param {string} id @param {string} name */
export const renamePasskey = (id, name) => rest.patch(`${PASSKEYS}/${id}`, {name});

/** @param {string} id */
export const deletePasskey = (id) => rest.delete(`${PASSKEYS}/${id}`);

/** Create a passkey. Return the recovery codes, if there are new ones. @param {string} name */
export async function createPasskey(name) {
  const {ticket, challenge} = await rest.post(PASSKEYS);
  const {publicKey} = JSON.parse(challenge);
  publicKey.challenge = bytes(publicKey.challenge);
  publicKey.user.id = bytes(publicKey.user.id);
  for (const each of publicKey.excludeCredentials ?? []) each.id = bytes(each.id);
  const made = /** @type {any} */ (await navigator.credentials.create({publicKey}));
  const credential = answer(made, ["attestationObject", "clientDataJSON"]);
  return codesOf(await rest.post(PASSKEYS, {ticket, credential, name}));
}

/** Use a passkey; return what proves it. @param {string} challenge @returns {Promise<string>} */
export async function usePasskey(challenge) {
  const {publicKey} = JSON.parse(challenge);
  publicKey.challenge = bytes(publicKey.challenge);
  for (const each of publicKey.allowCredentials) each.id = bytes(each.id);
  const used = /** @type {any} */ (await navigator.credentials.get({publicKey}));
  return answer(used, ["authenticatorData", "clientDataJSON", "signature"]);
}

/** @param {any} response @returns {string[]} */
const codesOf = (response) => response.backup_codes.map((/** @type {any} */ each) => each.code);

/** @param {any} credential @param {string[]} names */
function answer(credential, names) {
  const response = Object.fromEntries(names.map((name) => [name, text(credential.response[name])]));
  return JSON.stringify({rawId: text(credential.rawId), response});
}

/** @param {string} base64url */
const bytes = (base64url) =>
  Uint8Array.from(atob(base64url.replaceAll("-", "+").replaceAll("_", "/")), (each) => each.charCodeAt(0));

/** @param {ArrayBuffer} buffer */
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)));

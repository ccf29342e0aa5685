/** Logins at providers, and the accounts there that are linked with the user's. */

import {rest} from "./session.js";

const OWN = "/users/@me/oidc";

/** @typedef {{name: string, label: string}} Provider */
/** @typedef {{name: string, label: string, linked_at: string, last_used_at: string | null}} Link */

/** @returns {Promise<Provider[]>} */
export const providers = async () => (await rest.get("/auth/oidc")).providers;

/** The address that sends the browser to a provider. @param {string} name */
export const loginAt = (name) => `/auth/oidc/${encodeURIComponent(name)}/login`;

/**
 * Return the code of a login at a provider, and remove it from the address and the history. It is
 * after the `#`, so no log of a server has it.
 */
export function takeCode() {
  const code = /^#sso=([\w-]{1,128})$/.exec(location.hash)?.[1] ?? null;
  if (code !== null) history.replaceState(history.state, "", location.pathname);
  return code;
}

/** @returns {Promise<{has_password: boolean, links: Link[]}>} */
export const links = () => rest.get(OWN);

/** Send the browser to a provider, to link an account there. @param {string} name */
export async function link(name) {
  const {url} = await rest.post(`${OWN}/${encodeURIComponent(name)}`);
  location.assign(url);
}

/** @param {string} name */
export const unlink = (name) => rest.delete(`${OWN}/${encodeURIComponent(name)}`);

/** Set the password of an account that has none. @param {string} new_password */
export const setPassword = (new_password) => rest.post("/users/@me/password", {new_password});

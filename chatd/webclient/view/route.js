/** Where the user is: the address of the page, as a signal. */

import {signal} from "../vendor/signals.js";

/**
 * @typedef {{view: "guild", guild: string, channel: string | null}
 *   | {view: "private", channel: string | null}
 *   | {view: "invite", code: string}} Route
 */

/** @returns {Route} */
function parsed() {
  const [first, second, third] = location.pathname.split("/").filter(Boolean);
  if (first === "invite" && second) return {view: "invite", code: second};
  if (first !== "app" || !second || second === "@me") {
    return {view: "private", channel: (first === "app" && third) || null};
  }
  return {view: "guild", guild: second, channel: third ?? null};
}

/** @type {import("../vendor/signals.js").Signal<Route>} */
export const route = signal(parsed());

addEventListener("popstate", () => {
  route.value = parsed();
});

/** Go to an address of the client. @param {string} path @param {{replace?: boolean}} [options] */
export function go(path, {replace = false} = {}) {
  if (replace) history.replaceState(null, "", path);
  else if (path !== location.pathname) history.pushState(null, "", path);
  route.value = parsed();
}

/** Follow a link within the page, unless it shall open elsewhere. @param {MouseEvent} event */
export function follow(event) {
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const link = /** @type {HTMLAnchorElement} */ (event.currentTarget);
  event.preventDefault();
  go(link.pathname);
}

/** @param {string | null} guild @param {string} [channel] */
export const pathOf = (guild, channel) =>
  `/app/${guild ?? "@me"}${channel === undefined ? "" : `/${channel}`}`;

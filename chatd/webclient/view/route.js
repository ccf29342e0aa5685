/** Where the user is: the address of the page, as a signal. */

import {signal} from "../vendor/signals.js";
import {isUnsaved, leave} from "./unsaved.js";

/**
 * @typedef {{view: "guild", guild: string, channel: string | null, message: string | null}
 *   | {view: "private", channel: string | null, message: string | null}
 *   | {view: "invite", code: string}
 *   | {view: "settings" | "admin", section: string | null}
 *   | {view: "mail", page: "forgot" | "reset" | "verify" | "undo", token: string}
 *   | {view: "entry", isNew: boolean}} Route "entry" is the address of a login or registration.
 */

/** @returns {Route} */
function parsed() {
  const [first, second, third, fourth] = location.pathname.split("/").filter(Boolean);
  if (first === "invite" && second) return {view: "invite", code: second};
  if (first === "forgot" || first === "reset" || first === "verify" || first === "undo") {
    return {view: "mail", page: first, token: new URLSearchParams(location.hash.slice(1)).get("token") ?? ""};
  }
  if (first !== "app") return {view: "entry", isNew: first === "register"};
  if (second === "settings" || second === "admin") return {view: second, section: third ?? null};
  const [channel, message] = [idIn(third), idIn(fourth)];
  const guild = idIn(second);
  if (guild === null) return {view: "private", channel, message};
  return {view: "guild", guild, channel, message};
}

/**
 * Return a part of an address if it is an id. Anyone can write links, and the state has no keys but
 * ids: `constructor` would be found in every object.
 * @param {string | undefined} part
 */
const idIn = (part) => (/^\d{1,20}$/.test(part ?? "") ? /** @type {string} */ (part) : null);

/** @type {import("../vendor/signals.js").Signal<Route>} */
export const route = signal(parsed());

let lastPlace = "channel" in route.peek() ? location.pathname : (history.state?.place ?? "/app/@me");

/** The address to which closing the settings leads: where the user was before. */
export const leaveTo = () => lastPlace;

function arrive() {
  route.value = parsed();
  if (route.value.view === "guild" || route.value.view === "private") lastPlace = location.pathname;
}

/** Closes what covers the page, such as a dialog; the last one is on top. @type {(() => void)[]} */
export const covers = [];
/** The number of the present entry of the history. @type {number} */
let at = history.state?.at ?? 0;
let isReturning = false;
let mayLeave = false;

// The way back closes what covers the page, and stays on it. It stays, too, on changes that are not saved.
addEventListener("popstate", ({state}) => {
  const to = state?.at ?? 0;
  const by = to - at;
  const cover = by === 0 ? undefined : covers.at(-1);
  if (isReturning) {
    isReturning = false;
  } else if (cover !== undefined || (by !== 0 && !mayLeave && isUnsaved())) {
    isReturning = true;
    history.go(-by);
    if (cover !== undefined) cover();
    else {
      leave(() => {
        mayLeave = true;
        history.go(by);
      });
    }
  } else {
    mayLeave = false;
    at = to;
    arrive();
  }
});

/** The channel at an address. @param {Route} where @returns {string | null} */
export const channelAt = (where) => ("channel" in where ? where.channel : null);

/** Go to an address of the client. @param {string} path @param {{replace?: boolean}} [options] */
export function go(path, {replace = false} = {}) {
  leave(() => {
    if (replace) history.replaceState({at, place: lastPlace}, "", path);
    else if (path !== location.pathname) history.pushState({at: ++at, place: lastPlace}, "", path);
    arrive();
  });
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

/**
 * Starts the installed client without a connection: it keeps the page and its files, nothing else.
 *
 * Requests of the API and files of users never pass through here. The name of the script ends with
 * the version of the client. A new version waits until the last page of the old one is closed, so
 * that each page gets the files of its own version.
 */

const PREFIX = "chatd-shell-";
const version = new URL(location.href).search.slice(1);
const CACHE = PREFIX + version;
const BASE = `/client/${version}/`;
const PAGE = "/app";

/** Addresses of the page. Rule: `PAGES` in chatd/rest/web_client.py. */
const PAGES = /^\/(?:$|app(?:\/|$)|login$|register$|forgot$|reset$|verify$|undo$|invite\/)/;

/** How long the server may take for its page, in milliseconds: a small one without a database. */
const TIMEOUT_MS = 5000;

/** Files that no module imports; the scripts load them when they run. */
const LATER = ["lang/en.ftl", "lang/de.ftl", "net/ticker.js"];

addEventListener("install", (/** @type {any} */ event) => event.waitUntil(install()));
addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(removeOthers()));
addEventListener("fetch", (/** @type {any} */ event) => {
  const request = /** @type {Request} */ (event.request);
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate" && PAGES.test(url.pathname)) event.respondWith(page(request));
  else if (url.pathname.startsWith(BASE)) event.respondWith(file(request));
});

async function install() {
  const response = await fetch(PAGE, {headers: {Accept: "text/html"}, cache: "no-store"});
  const text = await response.clone().text();
  const files = [...text.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, address]) => address);
  const own = files.filter((address) => address.startsWith(BASE));
  // The server has changed meanwhile: the script of the new page registers the new version.
  if (!response.ok || own.length === 0) throw new Error("the page is of another version");
  const cache = await caches.open(CACHE);
  const addresses = [...new Set([...own, ...LATER.map((name) => BASE + name)])];
  const found = await Promise.all(addresses.map((address) => fetch(address)));
  if (!found.every(isFile)) throw new Error("a proxy has answered instead of the server");
  await Promise.all(addresses.map((address, at) => cache.put(address, found[at])));
  await cache.put(PAGE, response);
}

async function removeOthers() {
  const names = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(names.map((name) => caches.delete(name)));
}

/**
 * Return the server's page, or the one that is kept if there is no connection, or no answer in time.
 * @param {Request} request
 */
async function page(request) {
  const fetched = fetch(request);
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error("no answer")), TIMEOUT_MS));
  try {
    return await Promise.race([fetched, late]);
  } catch {
    return (await caches.match(PAGE, {cacheName: CACHE})) ?? fetched;
  }
}

/**
 * Return a file. Its address contains the version, so what is kept is never old.
 * @param {Request} request
 */
async function file(request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request);
  if (kept !== undefined) return kept;
  const response = await fetch(request);
  if (isFile(response)) await cache.put(request, response.clone());
  return response;
}

/**
 * Return whether a response is a file of the client. A proxy may answer with a page of its own, such
 * as its login: kept as a file, it would stop the client until there is a new version.
 * @param {Response} response
 */
const isFile = (response) =>
  response.ok && !response.redirected && !response.headers.get("Content-Type")?.startsWith("text/html");

/** Registers the service worker, by which the client starts without a connection. */

/** Browsers permit it on https and on this machine only; some refuse it in private windows. */
export async function install() {
  if (!("serviceWorker" in navigator)) return;
  const version = new URL(import.meta.url).pathname.split("/")[2]; // /client/VERSION/net/install.js
  try {
    await navigator.serviceWorker.register(`/service_worker.js?${version}`);
  } catch {
    // Without it, the page needs a connection to start.
  }
}

/** Views that few users open: their modules are loaded when they are shown. */

import {useEffect, useState} from "../vendor/hooks.js";
import {t} from "../lang/translate.js";
import {html} from "./html.js";

/**
 * Return a component that loads another one, and then is that one.
 * @param {() => Promise<Record<string, any>>} load imports the module
 * @param {string} name of the component in it
 */
export function lazy(load, name) {
  return function Lazy(/** @type {any} */ properties) {
    const [module, setModule] = useState(/** @type {any} */ (null));
    const [hasFailed, setFailed] = useState(false);
    useEffect(() => {
      load().then(setModule, () => setFailed(true));
    }, []);
    if (module !== null) return html`<${module[name]} ...${properties} />`;
    return hasFailed ? html`<${Outdated} />` : html`<p class="muted" role="status">${t("loading")}</p>`;
  };
}

/** A file of the client is missing: the server may have a new version. Browsers do not load a module twice. */
export const Outdated = () =>
  html`<p class="error" role="alert">
    ${t("outdated")} <button type="button" onClick=${() => location.reload()}>${t("load-page-again")}</button>
  </p>`;

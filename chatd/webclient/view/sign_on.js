/** The page of a login: the ways to log in at providers, and the end of such a login. */

import {useEffect, useState} from "../vendor/hooks.js";
import {t} from "../lang/translate.js";
import {reason} from "../net/reasons.js";
import {enter} from "../net/session.js";
import {loginAt, providers, takeCode} from "../net/sign_on.js";
import {html} from "./html.js";

/** Links to the providers; nothing if there are none. They leave the page, unlike its own links. */
export function Providers() {
  const [found, setFound] = useState(/** @type {import("../net/sign_on.js").Provider[]} */ ([]));
  useEffect(() => {
    providers().then(setFound, () => {}); // the password is still a way to log in
  }, []);
  if (found.length === 0) return null;
  return html`<nav class="providers" aria-label=${t("providers")}>
    ${found.map(({name, label}) => html`<a key=${name} class="button" href=${loginAt(name)}>${label}</a>`)}
  </nav>`;
}

/** Finishes a login, if the browser comes back from a provider. */
export function SignOn() {
  const [code] = useState(takeCode);
  const [failure, setFailure] = useState("");
  useEffect(() => {
    if (code !== null) enter("/auth/oidc/token", {code}).catch((error) => setFailure(reason(error)));
  }, [code]);
  if (code === null) return null;
  return failure
    ? html`<p class="error" role="alert">${failure}</p>`
    : html`<p role="status">${t("loading")}</p>`;
}

/** The pages before the client: login, registration, an invite. */

import {t} from "../lang/translate.js";
import {html} from "./html.js";
import {Preferences} from "./preferences.js";

/** @param {{children: any}} properties */
export const EntryPage = ({children}) => html`<div class="entry-page">
  <main id="main" class="login">
    <h1>chatd</h1>
    <p class="muted">${location.host}</p>
    ${children}
  </main>
  <footer class="entry-footer">
    <${Preferences} />
    <a href="/docs">${t("about-api")}</a>
  </footer>
</div>`;

/** Starts the client. */

import {loadLanguage} from "./lang/translate.js";
import {install} from "./net/install.js";
import {start} from "./net/session.js";
import {render} from "./vendor/preact.js";
import {App} from "./view/app.js";
import {guard} from "./view/guards.js";
import {html} from "./view/html.js";
import {loadTheme} from "./view/theme.js";

loadTheme();
guard();
start(); // the connection opens while the texts are loaded
await loadLanguage();
const root = /** @type {HTMLElement} */ (document.getElementById("app"));
root.replaceChildren();
render(html`<${App} />`, root);
install();

/** What the user chooses for this browser. */

import {t, LANGUAGES, chooseLanguage, language} from "../lang/translate.js";
import {html} from "./html.js";
import {THEMES, chooseTheme, theme} from "./theme.js";

export function Settings() {
  const change = (/** @type {(value: string) => unknown} */ choose) => (/** @type {any} */ event) =>
    choose(event.target.value);
  return html`<label class="field"
      >${t("language")}
      <select value=${language()} onChange=${change(chooseLanguage)}>
        ${Object.entries(LANGUAGES).map(([id, name]) => html`<option key=${id} value=${id}>${name}</option>`)}
      </select>
    </label>
    <label class="field"
      >${t("theme")}
      <select value=${theme()} onChange=${change(chooseTheme)}>
        ${THEMES.map((id) => html`<option key=${id} value=${id}>${t(`theme-${id}`)}</option>`)}
      </select>
    </label>`;
}

/** What the user chooses for this browser: the language and the theme. */

import {t, LANGUAGES, chooseLanguage, language} from "../lang/translate.js";
import {html} from "./html.js";
import {THEMES, chooseTheme, theme} from "./theme.js";

export function Preferences() {
  return html`<${Choice}
      label=${t("language")}
      value=${language()}
      options=${Object.entries(LANGUAGES)}
      onChoose=${chooseLanguage}
    />
    <${Choice}
      label=${t("theme")}
      value=${theme()}
      options=${THEMES.map((id) => [id, t(`theme-${id}`)])}
      onChoose=${chooseTheme}
    />`;
}

/** @param {{label: string, value: string, options: string[][], onChoose: (value: string) => unknown}} properties */
export function Choice({label, value, options, onChoose}) {
  return html`<label class="field"
    ><span class="label">${label}</span>
    <select value=${value} onChange=${(/** @type {any} */ event) => onChoose(event.target.value)}>
      ${options.map(([id, name]) => html`<option key=${id} value=${id}>${name}</option>`)}
    </select>
  </label>`;
}

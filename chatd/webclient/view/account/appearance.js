/** How this browser shows the client. */

import {t} from "../../lang/translate.js";
import {html} from "../html.js";
import {Choice, Preferences} from "../preferences.js";
import {DENSITIES, chooseDensity, density} from "../theme.js";

export function Appearance() {
  const names = {cozy: t("density-cozy"), compact: t("density-compact")};
  return html`<p class="muted">${t("appearance-text")}</p>
    <${Preferences} />
    <${Choice}
      label=${t("density")}
      value=${density()}
      options=${DENSITIES.map((id) => [id, names[id]])}
      onChoose=${chooseDensity}
    />`;
}

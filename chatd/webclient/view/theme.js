/** Light or dark, dense or not: attributes of the page, which style sheets read. */

import {read, write} from "../net/storage.js";

export const THEMES = ["system", "light", "dark"];
export const DENSITIES = /** @type {const} */ (["cozy", "compact"]);

const root = document.documentElement;

/** The theme; "system" follows the settings of the system. */
export const theme = () => root.dataset.theme ?? "system";

/** How close messages are to each other. @returns {typeof DENSITIES[number]} */
export const density = () => (root.dataset.density === "compact" ? "compact" : "cozy");

/** @param {string} name */
export function chooseTheme(name) {
  apply("theme", name === "system" ? null : name);
}

/** @param {string} name */
export function chooseDensity(name) {
  apply("density", name === "cozy" ? null : name);
}

/** Apply what was chosen before. */
export function loadTheme() {
  const [theme, density] = [read("chatd.theme"), read("chatd.density")];
  if (theme !== null && THEMES.includes(theme)) chooseTheme(theme);
  if (density === "compact") chooseDensity(density);
}

/** Set or remove an attribute of the page, for later visits too. @param {string} name @param {string | null} value */
function apply(name, value) {
  if (value === null) delete root.dataset[name];
  else root.dataset[name] = value;
  write(`chatd.${name}`, value);
}

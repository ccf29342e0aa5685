/** Light or dark. Without a choice the page follows the system. */

const KEY = "chatd.theme";
export const THEMES = ["system", "light", "dark"];

export function theme() {
  return document.documentElement.dataset.theme ?? "system";
}

/** @param {string} name */
export function chooseTheme(name) {
  apply(name);
  try {
    localStorage.setItem(KEY, name);
  } catch {
    // The choice lasts as long as this page.
  }
}

export function loadTheme() {
  try {
    apply(localStorage.getItem(KEY) ?? "system");
  } catch {
    // The page follows the system.
  }
}

/** @param {string} name */
function apply(name) {
  if (name === "system" || !THEMES.includes(name)) delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
}

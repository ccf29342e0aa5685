/** Which categories are collapsed: kept in this browser. */

import {signal} from "../vendor/signals.js";

const KEY = "chatd.collapsed";

/** @type {import("../vendor/signals.js").Signal<string[]>} */
const collapsed = signal(stored());

/** @param {string} category */
export const isCollapsed = (category) => collapsed.value.includes(category);

/** @param {string} category */
export function toggleCollapsed(category) {
  collapsed.value = isCollapsed(category)
    ? collapsed.value.filter((each) => each !== category)
    : [...collapsed.value, category];
  try {
    localStorage.setItem(KEY, JSON.stringify(collapsed.value));
  } catch {
    // The choice lasts as long as this page.
  }
}

/** @returns {string[]} */
function stored() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(found) ? found : [];
  } catch {
    return [];
  }
}

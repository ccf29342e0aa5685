/** What the browser keeps for this page. It may refuse: in private windows, or when it is full. */

/** @param {string} key @returns {string | null} */
export function read(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/**
 * Store a text, or remove it. Return whether it is stored now.
 * @param {string} key
 * @param {string | null} text
 */
export function write(key, text) {
  try {
    if (text === null) localStorage.removeItem(key);
    else localStorage.setItem(key, text);
    return true;
  } catch {
    return false;
  }
}

/** The keys of all that is stored. @returns {string[]} */
export function keys() {
  try {
    return Object.keys(localStorage);
  } catch {
    return [];
  }
}

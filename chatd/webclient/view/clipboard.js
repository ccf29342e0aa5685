/** Texts that users copy. */

/**
 * Copy a text. Return whether the browser permits it: it does on https only, and the user can forbid it.
 * Where it does not, views show the text, to be copied by hand.
 * @param {string} text
 */
export async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** Keeps keys of input methods, and files that are dropped, from doing something else in the page. */

/** The key code of keys that an input method uses. Rule: UI Events, "Input Method Editors". */
const PROCESSED = 229;

/**
 * Return whether a key is for an input method: Enter and Escape end its conversion. Safari sends the
 * key after the end of the composition, with the code alone.
 * @param {KeyboardEvent} event
 */
const isForInputMethod = (event) => event.isComposing || event.keyCode === PROCESSED;

/** Whether something of this page is dragged. */
let isOwnDrag = false;

/** Return the files of the user that are dragged; null if the page shall not take them. @param {DragEvent} event */
export function draggedFiles({dataTransfer}) {
  if (!dataTransfer?.types.includes("Files")) return null;
  // Browsers offer a picture that is dragged as a file, too. A dialog covers what would take files.
  return isOwnDrag || document.querySelector("dialog[open]") ? null : dataTransfer;
}

export function guard() {
  const stop = (/** @type {KeyboardEvent} */ event) => isForInputMethod(event) && event.stopPropagation();
  for (const type of /** @type {const} */ (["keydown", "keyup"])) addEventListener(type, stop, true);
  addEventListener("dragstart", () => {
    isOwnDrag = true;
  });
  addEventListener("dragend", () => {
    isOwnDrag = false;
  });
  // The browser would open the file in place of the page.
  const refuse = (/** @type {DragEvent} */ event) => {
    if (event.defaultPrevented || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "none";
  };
  addEventListener("dragover", refuse);
  addEventListener("drop", refuse);
}

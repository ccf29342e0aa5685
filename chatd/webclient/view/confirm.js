/** A dialog that asks before something is done. */

import {closeDialog, openDialog} from "./dialog.js";
import {html} from "./html.js";
import {lazy} from "./lazy.js";

const Question = lazy(() => import("./question.js"), "Question");

/**
 * Ask whether to do something. A failure is shown in the dialog, which then stays open.
 * @param {{title: string, text: string, submit: string, run: (values: any) => Promise<unknown>,
 *   typed?: string, isDangerous?: boolean, children?: any}} question `typed` has to be typed before.
 */
export function confirm({title, text, submit, run, typed, isDangerous, children}) {
  const act = async (/** @type {any} */ values) => {
    await run(values);
    closeDialog();
  };
  openDialog(
    title,
    html`<${Question} text=${text} submit=${submit} act=${act} typed=${typed} isDangerous=${isDangerous}>${children}<//>`,
  );
}

/**
 * Ask before something that cannot be undone.
 * @param {string} title Also the text of the button.
 * @param {any} children
 * @param {(values: any) => Promise<unknown>} run
 */
export const ask = (title, children, run) =>
  confirm({title, text: "", submit: title, run, isDangerous: true, children});

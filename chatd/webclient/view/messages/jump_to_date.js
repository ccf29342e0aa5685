/** Jumping to the messages of a day. */

import {t} from "../../lang/translate.js";
import {messageAt} from "../../net/history.js";
import {closeDialog} from "../dialog.js";
import {Form} from "../form.js";
import {html} from "../html.js";
import {go, pathOf} from "../route.js";
import {useFocus} from "../use.js";

/** @param {{id: string, guild?: string}} properties */
export function JumpToDate({id, guild}) {
  const field = useFocus();
  const jump = async (/** @type {Record<string, string>} */ {day}) => {
    const [year, month, date] = day.split("-").map(Number);
    const found = await messageAt(id, new Date(year, month - 1, date).getTime());
    closeDialog();
    if (found !== null) go(`${pathOf(guild ?? null, id)}/${found}`);
  };
  const today = new Date();
  const max = `${today.getFullYear()}-${String(today.getMonth() + 1).padStart(2, "0")}-${String(today.getDate()).padStart(2, "0")}`;
  return html`<${Form} onSubmit=${jump} submit=${t("jump")}>
    <label class="field"
      >${t("date")}
      <input type="date" name="day" required min="2015-01-01" max=${max} ref=${field} />
    </label>
  <//>`;
}

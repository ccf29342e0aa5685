/** Registration codes: making, sending and revoking them. */

import {useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {codes, createCode, revokeCode} from "../../net/admin_actions.js";
import {Copied} from "../copied.js";
import {ask} from "../confirm.js";
import {Field, Form} from "../form.js";
import {html} from "../html.js";
import {Time} from "../time.js";
import {useLoaded} from "../use_loaded.js";

const DAY_S = 86_400;

export function Codes() {
  const {value: found, again, problem} = useLoaded(codes);
  const [made, setMade] = useState("");
  if (found === null) return problem;
  const create = async (/** @type {any} */ {uses, days}) => {
    const {code} = await createCode({max_uses: Number(uses), max_age: Number(days) * DAY_S});
    setMade(code);
    await again();
  };
  const revoke = (/** @type {string} */ code) =>
    ask(t("revoke"), html`<p>${t("revoke-code-text", {code})}</p>`, async () => {
      await revokeCode(code);
      await again();
    });
  return html`<p>${t("codes-text")}</p>
    <${Form} onSubmit=${create} submit=${t("create-code")}>
      <${Field} label=${t("code-uses")} name="uses" type="number" min="0" max="10000" value="1" hint=${t("code-zero")} />
      <${Field} label=${t("code-days")} name="days" type="number" min="0" max="365" value="7" hint=${t("code-zero")} />
    <//>
    ${made && html`<${Copied} label=${t("code-link")} value=${`${location.origin}/register?code=${made}`} />`}
    ${found.length === 0 && html`<p class="muted">${t("no-codes")}</p>`}
    <ul class="cards">
      ${found.map(
        (each) => html`<li key=${each.code}>
          <div>
            <code>${each.code}</code>
            <p class="muted">
              ${t("code-used", {uses: each.uses, most: each.max_uses})} · ${t("code-ends")}${" "}
              ${each.expires_at ? html`<${Time} at=${each.expires_at} />` : t("code-never")}
            </p>
          </div>
          <button
            type="button"
            aria-label=${t("revoke-named", {name: each.code})}
            onClick=${() => revoke(each.code)}
          >
            ${t("revoke")}
          </button>
        </li>`,
      )}
    </ul>`;
}

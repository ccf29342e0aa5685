/** Whether moderation in a guild needs a second factor. Its owner decides. */

import {t} from "../../lang/translate.js";
import {rest} from "../../net/session.js";
import {confirm} from "../confirm.js";
import {html} from "../html.js";
import {useSelect} from "../use.js";

/** @param {{guild: import("../../state/shape.js").Guild}} properties */
export function MfaLevel({guild}) {
  const hasFactor = useSelect((state) => Boolean(state.me?.mfa_enabled));
  const isOn = guild.mfa_level === 1;
  const title = t(isOn ? "mfa-level-off" : "mfa-level-on");
  const change = () =>
    confirm({
      title,
      text: t(isOn ? "mfa-level-off-text" : "mfa-level-on-text"),
      submit: title,
      run: () => rest.post(`/guilds/${guild.id}/mfa`, {level: isOn ? 0 : 1}),
    });
  return html`<h3>${t("mfa-level")}</h3>
    <p>${t(isOn ? "mfa-level-is-on" : "mfa-level-is-off")}</p>
    ${hasFactor
      ? html`<div class="actions"><button type="button" onClick=${change}>${title}</button></div>`
      : html`<p class="muted">${t("mfa-level-own")}</p>`}`;
}

/** What the page says about its connection. */

import {useEffect, useState} from "../vendor/hooks.js";
import {t} from "../lang/translate.js";
import {connectNow, connection, isForgotten} from "../net/session.js";
import {html} from "./html.js";
import {IconButton} from "./icons.js";

export function Status() {
  const {status, retryAt, notice} = connection.value;
  const [, tick] = useState(0);
  useEffect(() => {
    if (status !== "waiting") return;
    const timer = setInterval(() => tick((count) => count + 1), 1000);
    return () => clearInterval(timer);
  }, [status]);
  const seconds = Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
  const isLasting = status === "live" && notice === "" && isForgotten.value;
  const text = status === "live" ? notice && t(notice) : t(`status-${status}`, {seconds});
  return html`<div class="status" role="status" data-status=${status} hidden=${!text && !isLasting}>
    ${isLasting ? t("not-stored") : text}
    ${status === "waiting" &&
    html`<button type="button" class="link" onClick=${connectNow}>${t("connect-now")}</button>`}
    ${isLasting &&
    html`<${IconButton} icon="close" label=${t("close")} onClick=${() => (isForgotten.value = false)} />`}
  </div>`;
}

/** A message of the user that the server has not confirmed. */

import {t} from "../../lang/translate.js";
import {drop, sendAgain} from "../../net/messages.js";
import {html} from "../html.js";
import {Markdown} from "./markdown.js";

/** @param {{channel: string, pending: import("../../state/shape.js").Pending}} properties */
export function PendingMessage({channel, pending}) {
  const isFailed = pending.status === "failed";
  const {lost = []} = pending;
  return html`<li class="message pending" data-failed=${isFailed}>
    <div class="body">
      <${Markdown} text=${pending.content} />
      ${pending.files.map((file, at) => html`<p key=${at} class="file">${file.name}</p>`)}
      ${pending.files.length > 0 &&
      !isFailed &&
      html`<progress value=${pending.progress} max="1" aria-label=${t("sending")}></progress>`}
      ${isFailed
        ? html`<p class="error" role="alert">
            ${t("not-sent", {reason: pending.reason})}
            ${lost.length > 0 && html` ${t("files-lost", {names: lost.join(", ")})}`}
            ${(pending.content || pending.files.length > 0) &&
            html`<button type="button" onClick=${() => sendAgain(channel, pending)}>${t("retry")}</button>`}
            <button type="button" onClick=${() => drop(channel, pending.nonce)}>${t("delete")}</button>
          </p>`
        : pending.files.length > 0 &&
          html`<button type="button" onClick=${() => drop(channel, pending.nonce)}>${t("cancel")}</button>`}
    </div>
  </li>`;
}

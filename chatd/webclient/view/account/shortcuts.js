/** The keys that the client understands. */

import {t} from "../../lang/translate.js";
import {html} from "../html.js";

const KEYS = [
  {keys: ["Enter"], text: () => t("key-send")},
  {keys: ["Shift", "Enter"], text: () => t("key-line")},
  {keys: ["Escape"], text: () => t("key-escape")},
  {keys: ["Tab"], text: () => t("key-tab")},
  {keys: ["Ctrl", ","], text: () => t("key-settings")},
  {keys: ["Ctrl", "/"], text: () => t("key-shortcuts")},
  {keys: ["↑"], text: () => t("key-edit-last")},
  {keys: ["↑ ↓"], text: () => t("key-choose-message")},
  {keys: ["E"], text: () => t("key-of-message", {action: t("edit")})},
  {keys: ["R"], text: () => t("key-of-message", {action: t("reply")})},
  {keys: ["+"], text: () => t("key-of-message", {action: t("react")})},
  {keys: ["P"], text: () => t("key-of-message", {action: t("pin")})},
  {keys: ["C"], text: () => t("key-of-message", {action: t("copy-text")})},
  {keys: ["L"], text: () => t("key-of-message", {action: t("copy-link")})},
  {keys: ["U"], text: () => t("key-of-message", {action: t("mark-unread")})},
  {keys: ["!"], text: () => t("key-of-message", {action: t("report")})},
  {keys: ["Delete"], text: () => t("key-of-message", {action: t("delete")})},
  {keys: ["M"], text: () => t("key-of-message", {action: t("message-menu")})},
];

export function Shortcuts() {
  return html`<table class="keys">
    <thead>
      <tr>
        <th scope="col">${t("keys")}</th>
        <th scope="col">${t("key-effect")}</th>
      </tr>
    </thead>
    <tbody>
      ${KEYS.map(
        ({keys, text}) => html`<tr key=${keys.join()}>
          <td>${keys.map((each, at) => html`${at > 0 && " + "}<kbd>${each}</kbd>`)}</td>
          <td>${text()}</td>
        </tr>`,
      )}
    </tbody>
  </table>`;
}

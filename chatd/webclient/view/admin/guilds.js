/** The guilds of the server: who owns them, and how large they are. */

import {useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {guilds} from "../../net/admin_actions.js";
import {html} from "../html.js";
import {Time} from "../time.js";
import {Search, usePages} from "./paged.js";

export function Guilds() {
  const [query, setQuery] = useState("");
  const {items, footer} = usePages(guilds, {query});
  return html`<p class="muted">${t("admin-guilds-text")}</p>
    <${Search} value=${query} onChange=${setQuery} />
    <ul class="cards">
      ${items.map(
        (each) => html`<li key=${each.id}>
          <div>
            <strong>${each.name}</strong>
            <p class="muted">
              ${t("guild-facts", {owner: each.owner, members: each.members, channels: each.channels})} ·${" "}
              <${Time} at=${each.created_at} />
            </p>
          </div>
        </li>`,
      )}
    </ul>
    ${footer}`;
}

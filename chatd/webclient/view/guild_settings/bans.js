/** The bans of a guild: finding and lifting them, banning a user who is no member. */

import {useEffect, useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {BANS_PAGE, bansAfter, unban} from "../../net/guild_actions.js";
import {Avatar} from "../avatar.js";
import {confirm} from "../confirm.js";
import {html} from "../html.js";
import {banUser} from "../member_actions.js";
import {useLoaded} from "../task.js";
import {Loading, Search} from "./fields.js";

/** @param {{guild: import("../../state/shape.js").Guild}} properties */
export function Bans({guild}) {
  const [query, setQuery] = useState("");
  const found = useLoaded(async () => {
    /** @type {any[]} */
    const all = [];
    // All of them, since the server cannot search bans: 100 take about 20 kB.
    for (;;) {
      const page = await bansAfter(guild.id, all.at(-1)?.user.id);
      all.push(...page);
      if (page.length < BANS_PAGE) return all;
    }
  }, [guild.id]);
  const [shown, setShown] = useState(BANS_PAGE);
  useEffect(() => setShown(BANS_PAGE), [query]);
  if (found.value === null) return html`<${Loading} ...${found} />`;
  const text = query.toLowerCase();
  const matching = found.value.filter(
    ({user, reason}) =>
      user.id === query || [user.username, user.global_name, reason].some((each) => each?.toLowerCase().includes(text)),
  );
  const lift = (/** @type {any} */ user) =>
    confirm({
      title: t("unban"),
      text: t("unban-about", {name: user.username}),
      submit: t("unban"),
      run: async () => {
        await unban(guild.id, user.id);
        found.change((present) => present.filter((each) => each.user.id !== user.id));
      },
    });
  return html`<${Search} label=${t("search-bans")} onChange=${setQuery} />
    <p class="muted" role="status">${t("ban-count", {count: matching.length})}</p>
    <ul class="entries">
      ${matching.slice(0, shown).map(
        ({user, reason}) => html`<li key=${user.id}>
          <${Avatar} user=${user} />
          <div class="about">
            <span class="name">${user.username}</span>
            <small>${reason ?? t("no-reason")}</small>
          </div>
          <button type="button" aria-label=${`${t("unban")}: ${user.username}`} onClick=${() => lift(user)}>${t("unban")}</button>
        </li>`,
      )}
    </ul>
    ${matching.length > shown &&
    html`<button type="button" onClick=${() => setShown(shown + BANS_PAGE)}>${t("load-more")}</button>`}
    <${BanById} guild=${guild} onBanned=${found.reload} />`;
}

/** @param {{guild: import("../../state/shape.js").Guild, onBanned: () => void}} properties */
function BanById({guild}) {
  const [id, setId] = useState("");
  const isId = /^\d{1,19}$/.test(id);
  return html`<details>
    <summary>${t("ban-by-id")}</summary>
    <label class="field"
      >${t("user-id")}
      <input inputmode="numeric" value=${id} onInput=${(/** @type {any} */ event) => setId(event.target.value.trim())} />
    </label>
    <button type="button" class="dangerous" disabled=${!isId} onClick=${() => banUser(guild, {id, username: id})}>${t("ban")}</button>
  </details>`;
}

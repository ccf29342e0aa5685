/** Who has changed what in a guild. */

import {useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {AUDIT_PAGE, auditLog} from "../../net/guild_actions.js";
import {Avatar} from "../avatar.js";
import {html} from "../html.js";
import {useLoaded, useTask} from "../task.js";
import {ACTIONS, changesOf, targetOf} from "./audit_text.js";
import {Loading, SelectField, When} from "./fields.js";
import {MemberPicker} from "./members.js";

/**
 * @typedef {{audit_log_entries: any[], users: any[], webhooks: any[], integrations: any[]}} Page
 */

/** @param {{guild: import("../../state/shape.js").Guild}} properties */
export function AuditLog({guild}) {
  const [action, setAction] = useState("0");
  const [user, setUser] = useState(/** @type {any} */ (null));
  const [isEnd, setEnd] = useState(false);
  const more = useTask();
  const load = async (/** @type {string | undefined} */ before) => {
    const filter = {action_type: Number(action) || undefined, user_id: user?.id, before};
    const page = await auditLog(guild.id, filter);
    setEnd(page.audit_log_entries.length < AUDIT_PAGE);
    return page;
  };
  const found = useLoaded(() => load(undefined), [guild.id, action, user?.id]);
  const loadMore = async () => {
    const page = await load(found.value?.audit_log_entries.at(-1)?.id);
    found.change((present) => joined(present, page));
  };
  return html`<${SelectField}
      label=${t("audit-filter-action")}
      value=${action}
      options=${[["0", t("audit-all")], ...ACTIONS.map((each) => [String(each), t(`audit-name-${each}`)])]}
      onChange=${setAction}
    />
    ${user === null
      ? html`<details>
          <summary>${t("audit-filter-user")}</summary>
          <${MemberPicker} guild=${guild.id} label=${t("search-members")} action=${t("choose")} onChoose=${setUser} />
        </details>`
      : html`<p>
          ${t("audit-by", {name: user.username})}
          <button type="button" class="link" onClick=${() => setUser(null)}>${t("audit-by-all")}</button>
        </p>`}
    ${found.value === null
      ? html`<${Loading} ...${found} />`
      : html`<ul class="entries audit">
            ${found.value.audit_log_entries.map(
              (/** @type {any} */ entry) => html`<${Entry} key=${entry.id} guild=${guild} entry=${entry} page=${found.value} />`,
            )}
          </ul>
          ${found.value.audit_log_entries.length === 0 && html`<p class="muted">${t("audit-empty")}</p>`}
          ${more.error && html`<p class="error" role="alert">${more.error}</p>`}
          ${!isEnd &&
          html`<button type="button" disabled=${more.isBusy} onClick=${() => more.run(loadMore)}>${t("load-more")}</button>`}`}`;
}

/** @param {Page} first @param {Page} second @returns {Page} */
const joined = (first, second) => ({
  audit_log_entries: [...first.audit_log_entries, ...second.audit_log_entries],
  users: [...first.users, ...second.users],
  webhooks: [...first.webhooks, ...second.webhooks],
  integrations: [...first.integrations, ...second.integrations],
});

/** @param {{guild: import("../../state/shape.js").Guild, entry: any, page: any}} properties */
function Entry({guild, entry, page}) {
  const actor = page.users.find((/** @type {any} */ each) => each.id === entry.user_id);
  const name = actor?.username ?? t("audit-nobody");
  const known = ACTIONS.includes(entry.action_type);
  const sentence = known
    ? t(`audit-${entry.action_type}`, {
        user: name,
        target: targetOf(guild, entry, page),
        count: Number(entry.options?.count ?? entry.options?.members_removed ?? 1),
      })
    : t("audit-other", {user: name, action: entry.action_type});
  const changes = changesOf(guild, entry);
  // The first part of an id is its time.
  const at = new Date(Number((BigInt(entry.id) >> 22n) + 1420070400000n)).toISOString();
  return html`<li>
    ${actor && html`<${Avatar} user=${actor} />`}
    <div class="about">
      <span>${sentence}</span>
      <small><${When} at=${at} /></small>
      ${entry.reason && html`<small>${t("audit-reason", {reason: entry.reason})}</small>`}
      ${changes.length > 0 &&
      html`<details>
        <summary>${t("audit-details")}</summary>
        <ul>
          ${changes.map((each, index) => html`<li key=${index}>${each}</li>`)}
        </ul>
      </details>`}
    </div>
  </li>`;
}

/** All members of a guild: finding one, and what may be done with it. */

import {useEffect, useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {MEMBERS_PAGE, membersAfter, searchMembers} from "../../net/guild_actions.js";
import {byRank} from "../../state/permissions.js";
import {nameOf} from "../../state/select.js";
import {Avatar} from "../avatar.js";
import {openDialog} from "../dialog.js";
import {html} from "../html.js";
import {memberItems} from "../member_actions.js";
import {Dot} from "../profile_card.js";
import {useLoaded, useTask} from "../task.js";
import {useSelect} from "../use.js";
import {Loading, Search, When} from "./fields.js";

/** @param {{guild: import("../../state/shape.js").Guild}} properties */
export function Members({guild}) {
  const [query, setQuery] = useState("");
  const [isEnd, setEnd] = useState(false);
  const more = useTask();
  const found = useLoaded(async () => {
    const members = query ? await searchMembers(guild.id, query) : await membersAfter(guild.id);
    setEnd(query !== "" || members.length < MEMBERS_PAGE);
    return members;
  }, [guild.id, query]);
  const members = found.value ?? [];
  const loadMore = async () => {
    const next = await membersAfter(guild.id, members.at(-1).user.id);
    setEnd(next.length < MEMBERS_PAGE);
    found.change((present) => [...present, ...next]);
  };
  // What is loaded may have changed: the state has the present members.
  const present = members.map((/** @type {any} */ each) => guild.members[each.user.id]).filter(Boolean);
  return html`<p class="muted">${t("member-count", {count: guild.member_count})}</p>
    <${Search} label=${t("search-members")} onChange=${setQuery} />
    ${found.value === null
      ? html`<${Loading} ...${found} />`
      : html`<ul class="entries">
            ${present.map((/** @type {any} */ each) => html`<${Row} key=${each.user.id} guild=${guild} member=${each} />`)}
          </ul>
          ${present.length === 0 && html`<p class="muted">${t("nobody-found")}</p>`}
          ${query !== "" && members.length === MEMBERS_PAGE && html`<p class="muted">${t("search-narrower")}</p>`}
          ${more.error && html`<p class="error" role="alert">${more.error}</p>`}
          ${!isEnd &&
          html`<button type="button" disabled=${more.isBusy} onClick=${() => more.run(loadMore)}>${t("load-more")}</button>`}`}`;
}

/** @param {{guild: import("../../state/shape.js").Guild, member: any}} properties */
function Row({guild, member}) {
  const name = useSelect((state) => nameOf(state, member.user, guild.id));
  const roles = member.roles
    .map((/** @type {string} */ id) => guild.roles[id])
    .filter(Boolean)
    .sort(byRank);
  const items = memberItems(guild, member).filter(Boolean);
  const open = () =>
    openDialog(
      name,
      html`<div class="stack">
        ${items.map(
          (item) => html`<button type="button" key=${item.label} class=${item.isDangerous ? "dangerous" : ""} onClick=${item.run}>
            ${item.label}
          </button>`,
        )}
      </div>`,
    );
  return html`<li>
    <${Avatar} user=${member.user} />
    <div class="about">
      <span class="name">${name} <small>${member.user.username}</small></span>
      <ul class="roles">
        ${member.user.id === guild.owner_id && html`<li>${t("owner")}</li>`}
        ${member.user.bot && html`<li>${t("bot")}</li>`}
        ${roles.map((/** @type {any} */ role) => html`<li key=${role.id}><${Dot} color=${role.color} /><span class="name">${role.name}</span></li>`)}
      </ul>
      <small>${t("member-since")} <${When} at=${member.joined_at} /></small>
    </div>
    ${items.length > 0 &&
    html`<button type="button" onClick=${open} aria-label=${t("manage-name", {name})}>${t("manage")}</button>`}
  </li>`;
}

/**
 * A field that finds a member by name, and its results.
 * @param {{guild: string, label: string, action: string, onChoose: (user: any) => void,
 *   isBusy?: boolean}} properties
 */
export function MemberPicker({guild, label, action, onChoose, isBusy}) {
  const [query, setQuery] = useState("");
  const found = useLoaded(
    async () => (query === "" ? [] : (await searchMembers(guild, query)).slice(0, 8)),
    [guild, query],
  );
  const [isOpen, setOpen] = useState(true);
  useEffect(() => setOpen(true), [query]);
  return html`<div class="picker">
    <${Search} label=${label} onChange=${setQuery} />
    ${found.error && html`<p class="error" role="alert">${found.error}</p>`}
    <ul class="entries" hidden=${!isOpen}>
      ${(found.value ?? []).map(
        (/** @type {any} */ {user, nick}) => html`<li key=${user.id}>
          <${Avatar} user=${user} />
          <span class="name about">${nick || user.global_name || user.username} <small>${user.username}</small></span>
          <button
            type="button"
            disabled=${isBusy}
            aria-label=${`${action}: ${user.username}`}
            onClick=${() => {
              setOpen(false);
              onChoose(user);
            }}
          >
            ${action}
          </button>
        </li>`,
      )}
    </ul>
    ${query !== "" && found.value?.length === 0 && html`<p class="muted">${t("nobody-found")}</p>`}
  </div>`;
}

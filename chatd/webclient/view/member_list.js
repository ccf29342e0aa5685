/**
 * The members of a guild, grouped as the server groups them. Only the part that is in view is asked
 * for and rendered: a guild may have 100,000 members.
 */

import {useEffect, useRef, useState} from "../vendor/hooks.js";
import {t} from "../lang/translate.js";
import {connection, watchMembers} from "../net/session.js";
import {nameOf} from "../state/select.js";
import {Avatar} from "./avatar.js";
import {html} from "./html.js";
import {useSelect} from "./use.js";

/** The server serves the list in parts of this many items. */
const CHUNK = 100;
/** The height of an item, in pixels, as the style sheet has it. */
const ITEM_PX = 44;

/** @param {{guild: string, channel: string}} properties */
export function MemberList({guild, channel}) {
  const list = useSelect((state) => state.lists[guild]);
  const roles = useSelect((state) => state.guilds[guild]?.roles ?? {});
  const view = useRef(/** @type {any} */ (null));
  const [top, setTop] = useState(0);
  const height = view.current?.clientHeight ?? 800;
  const first = Math.max(0, Math.floor(top / ITEM_PX) - 5);
  const last = Math.ceil((top + height) / ITEM_PX) + 5;
  const chunk = Math.floor(first / CHUNK);
  const status = connection.value.status;

  useEffect(() => {
    if (status !== "live") return;
    const wanted = [...new Set([0, chunk, Math.floor(last / CHUNK)])];
    watchMembers(guild, channel, wanted.map((each) => [each * CHUNK, each * CHUNK + CHUNK - 1]));
  }, [guild, channel, chunk, status]);

  const items = list?.items ?? [];
  const groups = new Map((list?.groups ?? []).map((each) => [each.id, each.count]));
  const size = [...groups.values()].reduce((sum, count) => sum + count + 1, 0);
  const shown = [];
  for (let at = first; at <= Math.min(last, size - 1); at++) shown.push([at, items[at]]);
  const groupName = (/** @type {string} */ id) =>
    id === "online" || id === "offline" ? t(id) : (roles[id]?.name ?? id);
  return html`<aside class="members" aria-label=${t("members")}>
    <div class="scroll" ref=${view} onScroll=${(/** @type {any} */ event) => setTop(event.target.scrollTop)} tabindex="0">
      <ul style=${{height: `${size * ITEM_PX}px`}}>
        ${shown.map(
          ([at, item]) => html`<li key=${item?.member?.user.id ?? item?.group?.id ?? at} style=${{top: `${at * ITEM_PX}px`}}>
            ${item?.group && html`<h2>${groupName(item.group.id)} — ${groups.get(item.group.id)}</h2>`}
            ${item?.member && html`<${Member} guild=${guild} member=${item.member} />`}
          </li>`,
        )}
      </ul>
    </div>
  </aside>`;
}

/** @param {{guild: string, member: any}} properties */
function Member({guild, member}) {
  const status = useSelect(
    (state) => state.presences[member.user.id] ?? member.presence?.status ?? "offline",
  );
  const name = useSelect((state) => member.nick || nameOf(state, member.user, guild));
  return html`<${Avatar} user=${member.user} status=${status} /><span class="name">${name}</span>`;
}

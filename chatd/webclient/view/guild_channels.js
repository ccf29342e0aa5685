/** The channels of a guild in the sidebar, in their categories; ordering and collapsing them. */

import {useEffect, useRef, useState} from "../vendor/hooks.js";
import {t} from "../lang/translate.js";
import {moveChannels} from "../net/guild_actions.js";
import {movesTo, stepMoves} from "../state/channel_order.js";
import {CREATE_INVITE, MANAGE_CHANNELS, isPrivate, permissionsOf} from "../state/permissions.js";
import {isMuted, sections, unread} from "../state/select.js";
import {state} from "../state/store.js";
import {ChannelEntry} from "./channel_entry.js";
import {channelItems} from "./channel_menu.js";
import {isCollapsed, toggleCollapsed} from "./collapsed.js";
import {openDialog} from "./dialog.js";
import {guildItems} from "./guild_menu.js";
import {html} from "./html.js";
import {lazy} from "./lazy.js";
import {Icon, IconButton} from "./icons.js";
import {MenuButton, openMenu} from "./menu.js";
import {pathOf, route} from "./route.js";
import {useTask} from "./task.js";
import {useSelect} from "./use.js";

const Invite = lazy(() => import("./invites.js"), "Invite");
const NewChannel = lazy(() => import("./new_channel.js"), "NewChannel");
const ANNOUNCEMENT = 5;
const DRAGGED = "application/x-chatd-channel";

/** @param {{id: string}} properties */
export function GuildChannels({id}) {
  const guild = useSelect((present) => present.guilds[id]);
  const me = useSelect((present) => present.me);
  const order = useTask();
  const moved = useRef("");
  useEffect(() => {
    // A moved element loses the focus; the next step needs it.
    if (moved.current === "" || document.activeElement !== document.body) return;
    const element = document.querySelector(`[data-channel="${CSS.escape(moved.current)}"]`);
    /** @type {HTMLElement | null} */ (element)?.focus();
  });
  if (guild === undefined || me === null) return null;
  const mayManage = (permissionsOf(guild, me.id) & MANAGE_CHANNELS) !== 0n;
  const parts = sections(guild);
  const first = parts
    .flatMap((each) => each.channels)
    .find((each) => permissionsOf(guild, me.id, each) & CREATE_INVITE);
  const step = (/** @type {string} */ channel, /** @type {-1 | 1} */ by) => {
    const moves = stepMoves(state.value.guilds[id], channel, by);
    moved.current = channel;
    if (moves !== null) order.run(() => moveChannels(id, moves));
  };
  const invite = () => openDialog(t("invite-people"), html`<${Invite} channel=${first?.id} />`);
  return html`<header class="guild">
      <h1>${guild.name}</h1>
      ${first && html`<${IconButton} icon="invite" label=${t("invite-people")} onClick=${invite} />`}
      <${MenuButton} label=${t("guild-menu")} items=${() => guildItems(id, first && invite)} />
    </header>
    <nav class="channels" aria-label=${t("channels")}>
      ${order.error && html`<p class="error" role="alert">${order.error}</p>`}
      ${parts.map(
        ({category, channels}) =>
          (category !== null || channels.length > 0 || parts.length === 1) &&
          html`<${Section}
            key=${category?.id ?? "none"}
            guild=${guild}
            category=${category}
            channels=${channels}
            mayManage=${mayManage}
            step=${step}
            move=${(/** @type {any[]} */ moves) => order.run(() => moveChannels(id, moves))}
          />`,
      )}
      ${mayManage &&
      html`<button
        type="button"
        class="link"
        onClick=${() => openDialog(t("new-channel"), html`<${NewChannel} guild=${id} />`)}
      >
        ${t("new-channel")}
      </button>`}
    </nav>`;
}

/**
 * @param {{guild: import("../state/shape.js").Guild, category: any, channels: any[],
 *   mayManage: boolean, step: (id: string, by: -1 | 1) => void, move: (moves: any[]) => void}} properties
 */
function Section({guild, category, channels, mayManage, step, move}) {
  const isClosed = category !== null && isCollapsed(category.id);
  const me = state.value.me?.id;
  const parent = category?.id ?? null;
  const here = route.value.view === "guild" ? route.value.channel : null;
  const isShown = useSelect((present) =>
    channels
      .filter((each) => {
        if (!isClosed || each.id === here) return true;
        const marks = unread(present, each.id);
        return marks.mentions > 0 || (marks.isUnread && !isMuted(present, guild.id, each.id));
      })
      .map((each) => each.id)
      .join(),
  ).split(",");
  const muted = useSelect((present) => category !== null && isMuted(present, guild.id, category.id));
  const menu = category && t("menu-of", {name: category.name});
  const items = () => channelItems(guild.id, category.id, step);
  return html`<section aria-label=${category?.name ?? t("channels")}>
    ${category &&
    html`<${Drop} guild=${guild} id=${category.id} parent=${category.id} mayManage=${mayManage} move=${move}>
      <div class="row" onContextMenu=${(/** @type {Event} */ event) => openMenu(event, menu, items())}>
        <h2>
          <button
            type="button"
            class="category"
            data-channel=${category.id}
            aria-expanded=${!isClosed}
            data-muted=${muted}
            onKeyDown=${stepper(category.id, mayManage, step)}
            onClick=${() => toggleCollapsed(category.id)}
          >
            <${Icon} name="category" /><span class="name">${category.name}</span>
            ${isPrivate(guild, category) && html`<span class="mark"><${Icon} name="lock" /></span>`}
          </button>
        </h2>
        <${MenuButton} label=${menu} items=${items} />
      </div>
    <//>`}
    ${channels.map(
      (channel, index) =>
        isShown.includes(channel.id) &&
        html`<${Drop}
          key=${channel.id}
          guild=${guild}
          id=${channel.id}
          parent=${parent}
          index=${index}
          mayManage=${(permissionsOf(guild, me, channel) & MANAGE_CHANNELS) !== 0n}
          move=${move}
        >
          <${ChannelEntry}
            path=${pathOf(guild.id, channel.id)}
            id=${channel.id}
            guild=${guild.id}
            name=${channel.name}
            isHere=${channel.id === here}
            isLocked=${isPrivate(guild, channel)}
            items=${() => channelItems(guild.id, channel.id, step)}
            onKeyDown=${stepper(channel.id, mayManage, step)}
          >
            ${channel.type === ANNOUNCEMENT
              ? html`<${Icon} name="announcement" />`
              : html`<span class="hash" aria-hidden="true">#</span>`}
          <//>
        <//>`,
    )}
  </section>`;
}

/** Alt and an arrow move a channel. @param {string} id @param {boolean} mayManage @param {(id: string, by: -1 | 1) => void} step */
const stepper = (id, mayManage, step) => (/** @type {KeyboardEvent} */ event) => {
  if (!event.altKey || !mayManage || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
  event.preventDefault();
  step(id, event.key === "ArrowUp" ? -1 : 1);
};

/**
 * Something that channels are dragged from, and dropped at: a category has no index.
 * @param {{guild: import("../state/shape.js").Guild, id: string, parent: string | null, index?: number,
 *   mayManage: boolean, move: (moves: any[]) => void, children?: any}} properties
 */
function Drop({guild, id, parent, index, mayManage, move, children}) {
  const [side, setSide] = useState("");
  if (!mayManage) return html`<div class="drop">${children}</div>`;
  const onDragStart = (/** @type {any} */ event) => {
    event.dataTransfer.setData(DRAGGED, id);
    event.dataTransfer.effectAllowed = "move";
  };
  const onDragOver = (/** @type {any} */ event) => {
    if (!event.dataTransfer.types.includes(DRAGGED)) return;
    event.preventDefault();
    const {top, height} = event.currentTarget.getBoundingClientRect();
    setSide(event.clientY < top + height / 2 ? "before" : "after");
  };
  const onDrop = (/** @type {any} */ event) => {
    setSide("");
    const dragged = event.dataTransfer.getData(DRAGGED);
    const channel = guild.channels[dragged];
    if (channel === undefined || dragged === id) return;
    event.preventDefault();
    const after = side === "after" ? 1 : 0;
    move(target(guild, channel, {id, parent, index, after}));
  };
  return html`<div
    class="drop"
    draggable=${true}
    data-drop=${side}
    onDragStart=${onDragStart}
    onDragOver=${onDragOver}
    onDragLeave=${() => setSide("")}
    onDrop=${onDrop}
  >
    ${children}
  </div>`;
}

/**
 * Return the moves of a channel that is dropped before or after another one, or at a category.
 * @param {import("../state/shape.js").Guild} guild
 * @param {any} channel
 * @param {{id: string, parent: string | null, index?: number, after: number}} where
 */
function target(guild, channel, {id, parent, index, after}) {
  if (channel.type === 4) {
    const categories = sections(guild).flatMap((each) => (each.category ? [each.category.id] : []));
    const at = categories.indexOf(index === undefined ? id : (parent ?? ""));
    return movesTo(guild, channel.id, null, at + after);
  }
  return movesTo(guild, channel.id, parent, index === undefined ? 0 : index + after);
}

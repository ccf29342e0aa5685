/** The menu of a channel or a category of a guild. */

import {t} from "../lang/translate.js";
import {deleteChannel, markRead, moveChannels, mute} from "../net/guild_actions.js";
import {movesTo, stepMoves} from "../state/channel_order.js";
import {CREATE_INVITE, MANAGE_CHANNELS, MANAGE_ROLES, permissionsOf} from "../state/permissions.js";
import {isMuted, sections} from "../state/select.js";
import {state} from "../state/store.js";
import {confirm} from "./confirm.js";
import {openDialog} from "./dialog.js";
import {copied} from "./clipboard.js";
import {html} from "./html.js";
import {lazy} from "./lazy.js";
import {openChannelSettings} from "./overlays.js";
import {attempt} from "./report.js";
import {pathOf} from "./route.js";

const Invite = lazy(() => import("./invites.js"), "Invite");
const NewChannel = lazy(() => import("./new_channel.js"), "NewChannel");
const CATEGORY = 4;

/**
 * @param {string} guildId
 * @param {string} id
 * @param {(id: string, by: -1 | 1) => void} step
 * @returns {import("./menu.js").Items}
 */
export function channelItems(guildId, id, step) {
  const guild = state.value.guilds[guildId];
  const channel = guild.channels[id];
  const isCategory = channel.type === CATEGORY;
  const granted = permissionsOf(guild, state.value.me?.id, channel);
  const muted = isMuted(state.value, guildId, id);
  const mayManage = (granted & MANAGE_CHANNELS) !== 0n;
  const mayChange = mayManage || (granted & MANAGE_ROLES) !== 0n;
  const within = isCategory
    ? Object.values(guild.channels).filter((each) => each.parent_id === id)
    : [channel];
  return [
    {
      label: t("mark-read"),
      run: () => attempt(t("mark-read"), () => markRead(within.map((each) => each.id))),
    },
    {
      label: t(muted ? "unmute-channel" : "mute-channel"),
      run: () => attempt(t("mute-channel"), () => mute(guildId, id, !muted)),
    },
    !isCategory && {label: t("copy-link"), run: () => copyLink(guildId, id)},
    !isCategory &&
      (granted & CREATE_INVITE) && {
        label: t("invite-people"),
        run: () => openDialog(t("invite-people"), html`<${Invite} channel=${id} />`),
      },
    mayChange && {
      label: t(isCategory ? "edit-category" : "edit-channel"),
      run: () => openChannelSettings(guildId, id, mayManage ? "overview" : "permissions"),
      startsGroup: true,
    },
    isCategory &&
      mayManage && {
        label: t("new-channel-here"),
        run: () => openDialog(t("new-channel"), html`<${NewChannel} guild=${guildId} parent=${id} />`),
      },
    mayManage && stepMoves(guild, id, -1) && {label: t("move-up"), run: () => step(id, -1)},
    mayManage && stepMoves(guild, id, 1) && {label: t("move-down"), run: () => step(id, 1)},
    mayManage && !isCategory && {label: t("move-to"), run: () => moveTo(guild, channel)},
    mayManage && {
      label: t(isCategory ? "delete-category" : "delete-channel"),
      run: () => remove(channel),
      isDangerous: true,
      startsGroup: true,
    },
  ];
}

/** @param {string} guild @param {string} channel */
async function copyLink(guild, channel) {
  const link = location.origin + pathOf(guild, channel);
  if (await copied(link)) return;
  openDialog(t("copy-link"), html`<input readonly value=${link} aria-label=${t("copy-link")} />`);
}

/** @param {import("../state/shape.js").Guild} guild @param {any} channel */
function moveTo(guild, channel) {
  const parts = sections(guild);
  confirm({
    title: t("move-to"),
    text: t("move-to-about", {name: channel.name}),
    submit: t("move"),
    run: ({parent}) => {
      const target = parent || null;
      const now = state.value.guilds[guild.id];
      const part = sections(now).find((each) => (each.category?.id ?? null) === target);
      return moveChannels(guild.id, movesTo(now, channel.id, target, part?.channels.length ?? 0));
    },
    children: html`<label class="field"
      >${t("category")}
      <select name="parent">
        ${parts.map(
          ({category}) =>
            html`<option
              key=${category?.id ?? ""}
              value=${category?.id ?? ""}
              selected=${(category?.id ?? null) === (channel.parent_id ?? null)}
            >
              ${category?.name ?? t("no-category")}
            </option>`,
        )}
      </select>
    </label>`,
  });
}

/** @param {any} channel */
export function remove(channel) {
  const isCategory = channel.type === CATEGORY;
  confirm({
    title: t(isCategory ? "delete-category" : "delete-channel"),
    text: t(isCategory ? "delete-category-about" : "delete-channel-about", {name: channel.name}),
    isDangerous: true,
    submit: t("delete"),
    run: () => deleteChannel(channel.id),
  });
}

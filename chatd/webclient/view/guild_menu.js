/** The menu of a guild. */

import {t} from "../lang/translate.js";
import {changeMember, leaveGuild, markRead, mute} from "../net/guild_actions.js";
import {
  BAN_MEMBERS,
  CHANGE_NICKNAME,
  MANAGE_CHANNELS,
  MANAGE_GUILD,
  MANAGE_ROLES,
  MANAGE_WEBHOOKS,
  VIEW_AUDIT_LOG,
  permissionsOf,
} from "../state/permissions.js";
import {isMuted} from "../state/select.js";
import {state} from "../state/store.js";
import {openReport} from "./complaint.js";
import {confirm} from "./confirm.js";
import {openDialog} from "./dialog.js";
import {html} from "./html.js";
import {lazy} from "./lazy.js";
import {openGuildSettings} from "./overlays.js";
import {attempt} from "./report.js";
import {go, pathOf} from "./route.js";

const NewChannel = lazy(() => import("./new_channel.js"), "NewChannel");
const SETTINGS =
  MANAGE_GUILD | MANAGE_ROLES | MANAGE_CHANNELS | BAN_MEMBERS | VIEW_AUDIT_LOG | MANAGE_WEBHOOKS;

/** @param {string} id @param {(() => void) | undefined} invite @returns {import("./menu.js").Items} */
export function guildItems(id, invite) {
  const guild = state.value.guilds[id];
  const me = state.value.me?.id;
  const granted = permissionsOf(guild, me);
  const muted = isMuted(state.value, id);
  return [
    invite && {label: t("invite-people"), run: invite},
    {
      label: t((granted & SETTINGS) !== 0n ? "guild-settings" : "members-and-roles"),
      run: () => openGuildSettings(id),
    },
    (granted & MANAGE_CHANNELS) && {
      label: t("new-channel"),
      run: () => openDialog(t("new-channel"), html`<${NewChannel} guild=${id} />`),
      startsGroup: true,
    },
    (granted & MANAGE_CHANNELS) && {
      label: t("new-category"),
      run: () => openDialog(t("new-category"), html`<${NewChannel} guild=${id} isCategory=${true} />`),
    },
    {
      label: t("mark-read"),
      run: () => attempt(t("mark-read"), () => markRead(Object.keys(guild.channels))),
      startsGroup: true,
    },
    {
      label: t(muted ? "unmute-guild" : "mute-guild"),
      run: () => attempt(t("mute-guild"), () => mute(id, null, !muted)),
    },
    (granted & CHANGE_NICKNAME) && {label: t("change-nickname"), run: () => changeNickname(id)},
    guild.owner_id !== me && {
      label: t("report"),
      run: () => openReport({type: "guild", guild_id: id}, guild.name),
      startsGroup: true,
    },
    guild.owner_id !== me && {label: t("leave-guild"), run: () => leave(guild), isDangerous: true},
  ];
}

/** @param {import("../state/shape.js").Guild} guild */
export const leave = (guild) =>
  confirm({
    title: t("leave-guild"),
    text: t("leave-guild-about", {name: guild.name}),
    isDangerous: true,
    submit: t("leave-guild"),
    run: async () => {
      await leaveGuild(guild.id);
      go(pathOf(null));
    },
  });

/** @param {string} id */
function changeNickname(id) {
  const me = state.value.me;
  const nick = state.value.guilds[id]?.members[me?.id]?.nick ?? "";
  confirm({
    title: t("change-nickname"),
    text: t("own-nickname-about"),
    submit: t("save"),
    run: ({nick: chosen}) => changeMember(id, "@me", {nick: chosen.trim() || null}),
    children: html`<label class="field"
      >${t("nickname")}
      <input name="nick" maxlength="32" autocomplete="off" defaultValue=${nick} placeholder=${me?.username} />
    </label>`,
  });
}

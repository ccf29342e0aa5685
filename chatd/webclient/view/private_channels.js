/** Direct messages and groups in the sidebar. */

import {t} from "../lang/translate.js";
import {deleteChannel, markRead, mute} from "../net/guild_actions.js";
import {isMuted, privates, titleOf} from "../state/select.js";
import {state} from "../state/store.js";
import {Avatar} from "./avatar.js";
import {ChannelEntry} from "./channel_entry.js";
import {confirm} from "./confirm.js";
import {openDialog} from "./dialog.js";
import {html} from "./html.js";
import {Icon, IconButton} from "./icons.js";
import {lazy} from "./lazy.js";
import {attempt} from "./report.js";
import {follow, go, pathOf, route} from "./route.js";
import {useSelect} from "./use.js";

const GROUP = 3;
const NewGroup = lazy(() => import("./groups.js"), "NewGroup");
const GroupSettings = lazy(() => import("./groups.js"), "GroupSettings");

export function PrivateChannels() {
  const whole = useSelect((each) => each);
  const sorted = privates(whole);
  const here = route.value.view === "private" ? route.value.channel : undefined;
  return html`<header class="guild">
      <h1>${t("home")}</h1>
      <${IconButton}
        icon="file"
        label=${t("new-group")}
        onClick=${() => openDialog(t("new-group"), html`<${NewGroup} />`)}
      />
    </header>
    <nav class="channels" aria-label=${t("home")}>
      <a class="channel" href=${pathOf(null)} onClick=${follow} aria-current=${here === null ? "page" : undefined}>
        <${Icon} name="members" /><span class="name">${t("friends")}</span>
      </a>
      ${sorted.length === 0 && html`<p class="empty">${t("no-privates")}</p>`}
      ${sorted.map((channel) => {
        const other = channel.type === GROUP ? undefined : channel.recipients?.[0];
        return html`<${ChannelEntry}
          key=${channel.id}
          path=${pathOf(null, channel.id)}
          id=${channel.id}
          guild="@me"
          name=${titleOf(whole, channel) || t("empty-group")}
          isHere=${channel.id === here}
          items=${() => items(channel)}
        >
          ${other
            ? html`<${Avatar} user=${other} status=${whole.presences[other.id] ?? "offline"} />`
            : html`<span class="avatar group"><${Icon} name="members" /></span>`}
        <//>`;
      })}
    </nav>`;
}

/** @param {any} channel @returns {import("./menu.js").Items} */
function items(channel) {
  const isGroup = channel.type === GROUP;
  const name = titleOf(state.value, channel) || t("empty-group");
  const muted = isMuted(state.value, "@me", channel.id);
  return [
    {label: t("mark-read"), run: () => attempt(t("mark-read"), () => markRead([channel.id]))},
    {
      label: t(muted ? "unmute-channel" : "mute-channel"),
      run: () => attempt(t("mute-channel"), () => mute("@me", channel.id, !muted)),
    },
    isGroup && {
      label: t("group-settings"),
      run: () => openDialog(t("group-settings"), html`<${GroupSettings} id=${channel.id} />`),
      startsGroup: true,
    },
    isGroup
      ? {label: t("leave-group"), run: () => leaveGroup(channel, name), isDangerous: true}
      : {label: t("close-private"), run: () => attempt(t("close-private"), () => close(channel.id))},
  ];
}

/** @param {string} id */
async function close(id) {
  await deleteChannel(id);
  if (route.value.view === "private" && route.value.channel === id) go(pathOf(null));
}

/** @param {any} channel @param {string} name */
const leaveGroup = (channel, name) =>
  confirm({
    title: t("leave-group"),
    text: t("leave-group-about", {name}),
    isDangerous: true,
    submit: t("leave-group"),
    run: () => close(channel.id),
  });

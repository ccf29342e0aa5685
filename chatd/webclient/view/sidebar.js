/** The channels of a guild, or the private channels, and the user. */

import {t} from "../lang/translate.js";
import {logOut, rest} from "../net/session.js";
import {CREATE_INVITE, MANAGE_CHANNELS, permissionsOf} from "../state/permissions.js";
import {nameOf, privates, sections, titleOf, unread} from "../state/select.js";
import {until} from "../state/store.js";
import {Avatar} from "./avatar.js";
import {closeDialog, openDialog} from "./dialog.js";
import {Field, Form} from "./form.js";
import {html} from "./html.js";
import {IconButton} from "./icons.js";
import {Invite} from "./invites.js";
import {follow, go, pathOf, route} from "./route.js";
import {Settings} from "./settings.js";
import {useFocus, useSelect} from "./use.js";

export function Sidebar() {
  const here = route.value;
  return html`<div class="sidebar">
    ${here.view === "guild"
      ? html`<${GuildChannels} id=${here.guild} />`
      : html`<${PrivateChannels} />`}
    <${Self} />
  </div>`;
}

/** @param {{id: string}} properties */
function GuildChannels({id}) {
  const guild = useSelect((state) => state.guilds[id]);
  const me = useSelect((state) => state.me);
  if (guild === undefined || me === null) return null;
  const mayManage = (permissionsOf(guild, me.id) & MANAGE_CHANNELS) !== 0n;
  const parts = sections(guild);
  const first = parts
    .flatMap((each) => each.channels)
    .find((each) => permissionsOf(guild, me.id, each) & CREATE_INVITE);
  const leave = async () => {
    await rest.delete(`/users/@me/guilds/${id}`);
    closeDialog();
    go(pathOf(null));
  };
  return html`<header class="guild">
      <h1>${guild.name}</h1>
      ${first &&
      html`<${IconButton}
        icon="invite"
        label=${t("invite-people")}
        onClick=${() => openDialog(t("invite-people"), html`<${Invite} channel=${first.id} />`)}
      />`}
      ${guild.owner_id !== me.id &&
      html`<${IconButton}
        icon="leave"
        label=${t("leave-guild")}
        onClick=${() =>
          openDialog(
            t("leave-guild"),
            html`<${Form} onSubmit=${leave} submit=${t("leave-guild")}><p>${guild.name}</p><//>`,
          )}
      />`}
    </header>
    <nav class="channels" aria-label=${t("channels")}>
      ${parts.map(
        ({category, channels}) =>
          (category !== null || channels.length > 0) &&
          html`<section key=${category?.id ?? "none"}>
            ${category && html`<h2>${category.name}</h2>`}
            ${channels.map(
              (channel) => html`<${Entry}
                key=${channel.id}
                path=${pathOf(id, channel.id)}
                id=${channel.id}
                name=${channel.name}
                isHere=${here(channel.id)}
              >
                <span aria-hidden="true">#</span>
              <//>`,
            )}
          </section>`,
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

/** @param {{guild: string}} properties */
function NewChannel({guild}) {
  const first = useFocus();
  const create = async ({name}) => {
    const channel = await rest.post(`/guilds/${guild}/channels`, {name, type: 0});
    await until((state) => channel.id in (state.guilds[guild]?.channels ?? {}));
    closeDialog();
    go(pathOf(guild, channel.id));
  };
  return html`<${Form} onSubmit=${create} submit=${t("create")}>
    <${Field} label=${t("channel-name")} name="name" maxLength=${100} inputRef=${first} />
  <//>`;
}

function PrivateChannels() {
  const state = useSelect((whole) => whole);
  const sorted = privates(state);
  return html`<header class="guild"><h1>${t("home")}</h1></header>
    <nav class="channels" aria-label=${t("home")}>
      <a
        class="channel"
        href=${pathOf(null)}
        onClick=${follow}
        aria-current=${route.value.channel === null ? "page" : undefined}
        >${t("friends")}</a
      >
      ${sorted.length === 0 && html`<p class="empty">${t("no-privates")}</p>`}
      ${sorted.map((channel) => {
        const other = channel.type === 1 ? channel.recipients?.[0] : undefined;
        return html`<${Entry}
          key=${channel.id}
          path=${pathOf(null, channel.id)}
          id=${channel.id}
          name=${titleOf(state, channel)}
          isHere=${here(channel.id)}
        >
          ${other && html`<${Avatar} user=${other} status=${state.presences[other.id] ?? "offline"} />`}
        <//>`;
      })}
    </nav>`;
}

/** @param {string} channel */
const here = (channel) => route.value.view !== "invite" && route.value.channel === channel;

/** @param {{path: string, id: string, name: string, isHere: boolean, children?: any}} properties */
function Entry({path, id, name, isHere, children}) {
  const marks = useSelect((state) => {
    const {isUnread, mentions} = unread(state, id);
    return `${isUnread ? 1 : 0}/${mentions}`;
  });
  const [isUnread, mentions] = marks.split("/").map(Number);
  const label = mentions ? t("mentioned", {name, count: mentions}) : isUnread ? t("unread", {name}) : name;
  return html`<a
    class="channel"
    href=${path}
    onClick=${follow}
    aria-current=${isHere ? "page" : undefined}
    aria-label=${label}
    data-unread=${Boolean(isUnread)}
  >
    ${children}<span class="name">${name}</span>
    ${mentions > 0 && html`<span class="badge" aria-hidden="true">${mentions}</span>`}
  </a>`;
}

function Self() {
  const me = useSelect((state) => state.me);
  const name = useSelect((state) => state.me && nameOf(state, state.me));
  if (me === null) return null;
  return html`<footer class="self">
    <${Avatar} user=${me} status="online" />
    <span class="name">${name}<small>${me.username}</small></span>
    <${IconButton}
      icon="settings"
      label=${t("settings")}
      onClick=${() => openDialog(t("settings"), html`<${Settings} />`)}
    />
    <${IconButton} icon="leave" label=${t("log-out")} onClick=${() => logOut().catch(() => {})} />
  </footer>`;
}

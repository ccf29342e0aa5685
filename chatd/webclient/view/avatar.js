/** Pictures of users and guilds. */

import {html} from "./html.js";

/** Colours of users without a picture. */
const COLORS = 6;

/** @param {{user: any, status?: string}} properties */
export function Avatar({user, status}) {
  return html`<span class="avatar">
    ${user.avatar
      ? html`<img
          src=${`/avatars/${user.id}/${user.avatar}.png`}
          alt=""
          width="40"
          height="40"
          loading="lazy"
        />`
      : html`<${Initial} user=${user} />`}
    ${status && html`<span class="presence" data-status=${status}></span>`}
  </span>`;
}

/** @param {{user: any}} properties */
function Initial({user}) {
  const [first = "?"] = user.global_name || user.username || "";
  const color = Number((BigInt(user.id) >> 22n) % BigInt(COLORS));
  return html`<span class="initial" data-color=${color} aria-hidden="true">${first.toLocaleUpperCase()}</span>`;
}

/** @param {{guild: any}} properties */
export function GuildIcon({guild}) {
  if (guild.icon) return html`<img src=${`/icons/${guild.id}/${guild.icon}.png`} alt="" />`;
  const initials = guild.name.split(/\s+/u).map((/** @type {string} */ each) => [...each][0] ?? "");
  return html`<span aria-hidden="true">${initials.slice(0, 2).join("")}</span>`;
}

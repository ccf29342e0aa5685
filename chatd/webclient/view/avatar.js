/** Pictures of users and guilds. */

import {html} from "./html.js";

/** @param {{user: any, status?: string}} properties */
export function Avatar({user, status}) {
  const source = user.avatar
    ? `/avatars/${user.id}/${user.avatar}.png`
    : `/embed/avatars/${Number(BigInt(user.id) >> 22n) % 6}.png`;
  return html`<span class="avatar">
    <img src=${source} alt="" width="40" height="40" loading="lazy" />
    ${status && html`<span class="presence" data-status=${status}></span>`}
  </span>`;
}

/** @param {{guild: any}} properties */
export function GuildIcon({guild}) {
  if (guild.icon) return html`<img src=${`/icons/${guild.id}/${guild.icon}.png`} alt="" />`;
  const initials = guild.name.split(/\s+/u).map((/** @type {string} */ each) => [...each][0] ?? "");
  return html`<span aria-hidden="true">${initials.slice(0, 2).join("")}</span>`;
}

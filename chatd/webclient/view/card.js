/** Opens the card of a user beside what was clicked. */

import {nameOf} from "../state/select.js";
import {state} from "../state/store.js";
import {html} from "./html.js";
import {lazy} from "./lazy.js";
import {openPopover} from "./popover.js";

const Card = lazy(() => import("./profile_card.js"), "ProfileCard");

/** @param {Event} event @param {string | undefined} guild @param {any} user */
export const openCard = (event, guild, user) =>
  openPopover(event, nameOf(state.value, user, guild), html`<${Card} guild=${guild} user=${user} />`, {
    isBeside: true,
  });

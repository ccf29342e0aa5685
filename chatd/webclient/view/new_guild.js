/** Creating a guild, and joining one. */

import {t} from "../lang/translate.js";
import {rest} from "../net/session.js";
import {until} from "../state/store.js";
import {closeDialog} from "./dialog.js";
import {Field, Form} from "./form.js";
import {html} from "./html.js";
import {go, pathOf} from "./route.js";
import {useFocus} from "./use.js";

/** The code of an invite, also from a link to it. @param {string} text */
const codeIn = (text) => text.trim().split(/[?#]/)[0].split("/").filter(Boolean).at(-1) ?? "";

export function NewGuild() {
  const first = useFocus();
  const create = async (/** @type {Record<string, string>} */ {name}) => {
    const guild = await rest.post("/guilds", {name});
    await until((state) => guild.id in state.guilds);
    closeDialog();
    go(pathOf(guild.id));
  };
  const join = async (/** @type {Record<string, string>} */ {code}) => {
    const invite = await rest.post(`/invites/${encodeURIComponent(codeIn(code))}`);
    await until((state) => invite.guild.id in state.guilds);
    closeDialog();
    go(pathOf(invite.guild.id));
  };
  return html`<h3>${t("create-guild")}</h3>
    <${Form} onSubmit=${create} submit=${t("create")}>
      <${Field} label=${t("guild-name")} name="name" maxLength=${100} inputRef=${first} />
    <//>
    <h3>${t("join-guild")}</h3>
    <${Form} onSubmit=${join} submit=${t("join")}>
      <${Field} label=${t("invite-link")} name="code" />
    <//>`;
}

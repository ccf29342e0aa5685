/** What a role or a member may do in a channel, and which rule decides. */

import {useEffect, useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {loadMember} from "../../net/guild_actions.js";
import {sortedRoles} from "../../state/channel_order.js";
import {decisive, explain, subjectOf} from "../../state/permissions.js";
import {nameOf} from "../../state/select.js";
import {state} from "../../state/store.js";
import {html} from "../html.js";
import {SelectField} from "./fields.js";
import {MemberPicker} from "./members.js";

/**
 * Explain the permissions of the chosen role or member in a channel.
 * @param {import("../../state/shape.js").Guild} guild
 * @param {any} channel
 */
export function useViewAs(guild, channel) {
  const [chosen, choose] = useState(/** @type {{role?: string, user?: any}} */ ({role: guild.id}));
  useEffect(() => {
    if (chosen.user && !guild.members[chosen.user.id]) loadMember(guild.id, chosen.user.id).catch(() => {});
  }, [chosen]);
  const role = guild.roles[chosen.role ?? ""] ?? guild.roles[guild.id];
  const subject = chosen.user
    ? subjectOf(guild, chosen.user.id)
    : {userId: null, roles: role.id === guild.id ? [] : [role.id], isTimedOut: false};
  const {granted, steps} = explain(guild, subject, channel);
  return {
    chosen,
    choose,
    name: chosen.user ? nameOf(state.value, chosen.user, guild.id) : role.name,
    has: (/** @type {bigint} */ bit) => (granted & bit) !== 0n,
    why: (/** @type {bigint} */ bit) => {
      const step = decisive(steps, bit);
      if (step === undefined) return t("why-nothing");
      const name = guild.roles[step.id]?.name ?? "";
      const isAllowed = (step.allow & bit) !== 0n;
      const kind = step.source.startsWith("overwrite") ? `${step.source}-${isAllowed ? "allow" : "deny"}` : step.source;
      return t(`why-${kind}`, {role: name});
    },
  };
}

/**
 * @param {{guild: import("../../state/shape.js").Guild, chosen: {role?: string, user?: any},
 *   choose: (chosen: {role?: string, user?: any}) => void, name: string}} properties
 */
export const ViewAs = ({guild, chosen, choose, name}) =>
  html`<div class="view-as">
    <${SelectField}
      label=${t("view-as")}
      value=${chosen.user ? "user" : chosen.role}
      options=${[
        ...sortedRoles(guild).map((each) => [each.id, each.name]),
        ...(chosen.user ? [["user", name]] : []),
      ]}
      onChange=${(/** @type {string} */ id) => id !== "user" && choose({role: id})}
    />
    <details>
      <summary>${t("view-as-member")}</summary>
      <${MemberPicker} guild=${guild.id} label=${t("search-members")} action=${t("choose")} onChoose=${(/** @type {any} */ user) => choose({user})} />
    </details>
  </div>`;

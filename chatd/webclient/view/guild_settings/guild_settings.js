/** The settings of a guild: the sections that the user's permissions allow. */

import {useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {
  BAN_MEMBERS,
  MANAGE_GUILD,
  MANAGE_ROLES,
  MANAGE_WEBHOOKS,
  VIEW_AUDIT_LOG,
  permissionsOf,
} from "../../state/permissions.js";
import {Boundary} from "../boundary.js";
import {html} from "../html.js";
import {leave} from "../unsaved.js";
import {useSelect} from "../use.js";
import {AuditLog} from "./audit_log.js";
import {Bans} from "./bans.js";
import {Integrations} from "./integrations.js";
import {Invites} from "./invite_list.js";
import {Members} from "./members.js";
import {Overview} from "./overview.js";
import {Roles} from "./roles.js";
import {Webhooks} from "./webhooks.js";

/** @type {[string, bigint, any][]} */
const SECTIONS = [
  ["overview", MANAGE_GUILD, Overview],
  ["roles", MANAGE_ROLES, Roles],
  ["members", 0n, Members],
  ["invites", MANAGE_GUILD, Invites],
  ["bans", BAN_MEMBERS, Bans],
  ["webhooks", MANAGE_WEBHOOKS, Webhooks],
  ["integrations", MANAGE_GUILD, Integrations],
  ["audit", VIEW_AUDIT_LOG, AuditLog],
];

/** @param {{id: string, section?: string}} properties */
export function GuildSettings({id, section}) {
  const guild = useSelect((state) => state.guilds[id]);
  const me = useSelect((state) => state.me?.id);
  const [chosen, choose] = useState(section ?? "");
  if (guild === undefined) return null;
  const granted = permissionsOf(guild, me);
  const shown = SECTIONS.filter(([, needed]) => needed === 0n || (granted & needed) !== 0n);
  // A right may be taken away while its section is open.
  const [name, , View] = shown.find(([each]) => each === chosen) ?? shown[0];
  return html`<div class="settings">
    <nav aria-label=${t("guild-sections")}>
      ${shown.map(
        ([each]) => html`<button
          type="button"
          key=${each}
          aria-current=${each === name ? "page" : undefined}
          onClick=${() => leave(() => choose(each))}
        >
          ${t(`guild-section-${each}`)}
        </button>`,
      )}
    </nav>
    <section aria-label=${t(`guild-section-${name}`)}>
      <h2>${t(`guild-section-${name}`)}</h2>
      <${Boundary} key=${name}><${View} guild=${guild} me=${me} granted=${granted} /><//>
    </section>
  </div>`;
}

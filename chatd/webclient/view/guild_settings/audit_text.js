/** Entries of the audit log in words. */

import {locale, t} from "../../lang/translate.js";
import {BITS, textId} from "../../state/permission_list.js";

/** The actions that the server records. Rule: Discord docs, "Audit Log Events". */
export const ACTIONS = [
  1, 10, 11, 12, 13, 14, 15, 20, 21, 22, 23, 24, 25, 28, 30, 31, 32, 40, 42, 50, 51, 52, 72, 73, 74, 75,
  80, 81, 82, 121, 140, 141, 142, 143, 144, 145,
];
/** Keys of changes that have a name in the language files. */
const KEYS = new Set(
  (
    "name description icon_hash owner_id system_channel_id rules_channel_id preferred_locale mfa_level " +
    "default_message_notifications topic nsfw rate_limit_per_user position parent_id type color hoist mentionable " +
    "permissions nick communication_disabled_until code channel_id max_uses max_age temporary allow deny avatar_hash"
  ).split(" "),
);
const CHANNEL_ACTIONS = new Set([10, 11, 12, 13, 14, 15, 73]);
const USER_ACTIONS = new Set([20, 22, 23, 24, 25, 28, 72, 74, 75, 143, 144, 145]);
const ROLE_ACTIONS = new Set([30, 31, 32]);
const WEBHOOK_ACTIONS = new Set([50, 51, 52]);
const RULE_ACTIONS = new Set([140, 141, 142]);
/** Keys whose values are bits of permissions. */
const BIT_KEYS = new Set(["permissions", "allow", "deny"]);
const CHANNEL_KEYS = new Set(["system_channel_id", "rules_channel_id", "parent_id", "channel_id"]);

/**
 * Return the name of what an action changed.
 * @param {import("../../state/shape.js").Guild} guild @param {any} entry @param {any} page
 * @returns {string}
 */
export function targetOf(guild, entry, page) {
  const {action_type: action, target_id: id} = entry;
  const known = (/** @type {any[]} */ list) => list.find((each) => each.id === id);
  if (CHANNEL_ACTIONS.has(action)) return channelName(guild, id) ?? named(entry) ?? id;
  if (USER_ACTIONS.has(action)) return known(page.users)?.username ?? id;
  if (ROLE_ACTIONS.has(action)) return guild.roles[id]?.name ?? named(entry) ?? id;
  if (WEBHOOK_ACTIONS.has(action)) return known(page.webhooks)?.name ?? named(entry) ?? id;
  if (RULE_ACTIONS.has(action)) return known(page.auto_moderation_rules)?.name ?? named(entry) ?? id;
  if (action === 40 || action === 42) return valueOf(entry, "code") ?? "";
  return known(page.integrations)?.name ?? named(entry) ?? guild.name;
}

/** @param {any} entry @param {string} key @returns {string | undefined} */
function valueOf(entry, key) {
  const change = (entry.changes ?? []).find((/** @type {any} */ each) => each.key === key);
  return change && String(change.new_value ?? change.old_value);
}

/** The name that something had or got. @param {any} entry */
const named = (entry) => valueOf(entry, "name");

/** @param {import("../../state/shape.js").Guild} guild @param {string} id */
function channelName(guild, id) {
  const channel = guild.channels[id];
  return channel && (channel.type === 4 ? channel.name : `#${channel.name}`);
}

/**
 * Return what has changed, a line for each thing.
 * @param {import("../../state/shape.js").Guild} guild @param {any} entry
 * @returns {string[]}
 */
export function changesOf(guild, entry) {
  return (entry.changes ?? []).flatMap((/** @type {any} */ change) => {
    const {key, old_value: before, new_value: after} = change;
    if (key === "$add" || key === "$remove") {
      const names = after.map((/** @type {any} */ role) => role.name).join(", ");
      return [t(key === "$add" ? "audit-roles-added" : "audit-roles-removed", {names})];
    }
    if (!KEYS.has(key)) return [];
    const name = t(`audit-key-${key.replaceAll("_", "-")}`);
    if (BIT_KEYS.has(key)) return bitLines(name, before, after);
    const shown = (/** @type {any} */ value) => text(guild, key, value);
    return [t("audit-change", {name, before: shown(before), after: shown(after)})];
  });
}

/** @param {string} name @param {any} before @param {any} after @returns {string[]} */
function bitLines(name, before, after) {
  const [old, now] = [BigInt(before ?? 0), BigInt(after ?? 0)];
  const names = (/** @type {bigint} */ bits) =>
    Object.entries(BITS)
      .filter(([, bit]) => (bits & bit) !== 0n)
      .map(([each]) => t(textId(each)))
      .join(", ");
  const lines = [];
  if (now & ~old) lines.push(t("audit-bits-added", {name, names: names(now & ~old)}));
  if (old & ~now) lines.push(t("audit-bits-removed", {name, names: names(old & ~now)}));
  return lines;
}

/** @param {import("../../state/shape.js").Guild} guild @param {string} key @param {any} value @returns {string} */
function text(guild, key, value) {
  if (value === undefined || value === null || value === "") return t("audit-nothing");
  if (typeof value === "boolean") return t(value ? "yes" : "no");
  if (CHANNEL_KEYS.has(key)) return channelName(guild, String(value)) ?? String(value);
  if (key === "color") return `#${Number(value).toString(16).padStart(6, "0")}`;
  if (key === "communication_disabled_until") {
    return new Date(value).toLocaleString(locale());
  }
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

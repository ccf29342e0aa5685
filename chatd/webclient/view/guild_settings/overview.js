/** The name, the picture and the other settings of a guild; deleting and leaving it. */

import {useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {changeGuild, deleteGuild} from "../../net/guild_actions.js";
import {permissionsOf, VIEW_CHANNEL} from "../../state/permissions.js";
import {sections} from "../../state/select.js";
import {GuildIcon} from "../avatar.js";
import {confirm} from "../confirm.js";
import {html} from "../html.js";
import {leave} from "../guild_menu.js";
import {go, pathOf} from "../route.js";
import {MfaLevel} from "./mfa_level.js";
import {CheckField, SelectField, SettingsForm, TextField} from "./fields.js";
import {dataUri} from "./picture.js";

/** Bit 0 of the flags: do not say who joins. */
const SUPPRESS_JOINS = 1;
/** The languages that Discord's documentation names. */
const LOCALES =
  "ar bg cs da de el en-GB en-US es-419 es-ES fi fr he hi hr hu id it ja ko lt nl no pl pt-BR ro ru sv-SE th tr uk vi zh-CN zh-TW".split(
    " ",
  );

/** @param {{guild: import("../../state/shape.js").Guild, me: string}} properties */
export function Overview({guild, me}) {
  const [icon, setIcon] = useState(/** @type {string | null | undefined} */ (undefined));
  const isOwner = guild.owner_id === me;
  const channels = sections(guild)
    .flatMap((each) => each.channels)
    .filter((each) => permissionsOf(guild, me, each) & VIEW_CHANNEL);
  const options = /** @type {[string, string][]} */ ([
    ["", t("no-channel")],
    ...channels.map((each) => [each.id, `#${each.name}`]),
  ]);
  // A channel that the user may not see stays chosen.
  const known = (/** @type {string | null} */ id) =>
    id && !channels.some((each) => each.id === id) ? [...options, [id, t("hidden-channel")]] : options;
  const save = async (/** @type {any} */ values) => {
    const flags = guild.system_channel_flags;
    const wanted = {
      name: values.name,
      description: values.description.trim() || null,
      system_channel_id: values.system_channel_id || null,
      system_channel_flags: values.joins ? flags & ~SUPPRESS_JOINS : flags | SUPPRESS_JOINS,
      rules_channel_id: values.rules_channel_id || null,
      default_message_notifications: Number(values.default_message_notifications),
      preferred_locale: values.preferred_locale,
    };
    // Only what has changed: the user may lack rights in a channel that stays chosen.
    const change = Object.fromEntries(
      Object.entries(wanted).filter(([key, value]) => value !== /** @type {any} */ (guild)[key]),
    );
    if (icon !== undefined) change.icon = icon;
    await changeGuild(guild.id, change);
    setIcon(undefined);
  };
  return html`<${SettingsForm} onSave=${save} isChanged=${icon !== undefined}>
      <${Picture} guild=${guild} icon=${icon} onChange=${setIcon} />
      <${TextField} label=${t("guild-name")} name="name" value=${guild.name} maxLength=${100} />
      <${TextField}
        label=${t("description")}
        name="description"
        value=${guild.description ?? ""}
        maxLength=${300}
        isOptional=${true}
        isLong=${true}
      />
      <${SelectField}
        label=${t("system-channel")}
        name="system_channel_id"
        value=${guild.system_channel_id ?? ""}
        options=${known(guild.system_channel_id)}
        about=${t("guild-system-channel-about")}
      />
      <${CheckField}
        label=${t("announce-joins")}
        name="joins"
        isChecked=${(guild.system_channel_flags & SUPPRESS_JOINS) === 0}
      />
      <${SelectField}
        label=${t("rules-channel")}
        name="rules_channel_id"
        value=${guild.rules_channel_id ?? ""}
        options=${known(guild.rules_channel_id)}
      />
      <${SelectField}
        label=${t("default-notifications")}
        name="default_message_notifications"
        value=${String(guild.default_message_notifications)}
        options=${[
          ["0", t("notify-all")],
          ["1", t("notify-mentions")],
        ]}
      />
      <${SelectField}
        label=${t("guild-language")}
        name="preferred_locale"
        value=${guild.preferred_locale}
        options=${LOCALES.map((each) => [each, localeName(each)])}
      />
    <//>
    ${isOwner && html`<${MfaLevel} guild=${guild} />`}
    <div class="danger-zone">
      ${isOwner
        ? html`<p>${t("delete-guild-about")}</p>
            <button type="button" class="dangerous" onClick=${() => remove(guild)}>${t("delete-guild")}</button>`
        : html`<button type="button" class="dangerous" onClick=${() => leave(guild)}>${t("leave-guild")}</button>`}
    </div>`;
}

/** @param {string} locale */
function localeName(locale) {
  const names = new Intl.DisplayNames(document.documentElement.lang || "en", {type: "language"});
  return names.of(locale) ?? locale;
}

/** @param {import("../../state/shape.js").Guild} guild */
const remove = (guild) =>
  confirm({
    title: t("delete-guild"),
    text: t("delete-guild-question", {name: guild.name}),
    isDangerous: true,
    submit: t("delete-guild"),
    typed: guild.name,
    run: async () => {
      await deleteGuild(guild.id);
      go(pathOf(null));
    },
  });

/**
 * @param {{guild: any, icon: string | null | undefined, onChange: (icon: string | null) => void}} properties
 * `icon` is undefined while it stays, null when it goes.
 */
function Picture({guild, icon, onChange}) {
  const [error, setError] = useState("");
  const choose = async (/** @type {any} */ event) => {
    const [file] = event.target.files;
    event.target.value = "";
    if (file === undefined) return;
    const {uri, problem} = await dataUri(file);
    setError(problem ? t(problem === "size" ? "picture-too-large" : "picture-unreadable") : "");
    if (uri) onChange(uri);
  };
  const shown = icon === undefined ? guild : {...guild, icon: null};
  return html`<div class="picture-field">
    <span class="guild-picture">
      ${icon
        ? html`<img src=${icon} alt=${t("guild-picture-preview")} />`
        : html`<${GuildIcon} guild=${shown} />`}
    </span>
    <label class="button"
      >${t("choose-picture")}
      <input type="file" class="visually-hidden" accept="image/png,image/jpeg,image/gif,image/webp" onChange=${choose} />
    </label>
    ${(icon ?? (icon === undefined && guild.icon)) &&
    html`<button type="button" onClick=${() => onChange(null)}>${t("remove-picture")}</button>`}
    ${icon !== undefined && html`<small>${t("picture-unsaved")}</small>`}
    ${error && html`<p class="error" role="alert">${error}</p>`}
  </div>`;
}

/** The settings of a channel or a category: what it is, and who may do what there. */

import {useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {changeChannel} from "../../net/guild_actions.js";
import {MANAGE_CHANNELS, MANAGE_ROLES, permissionsOf} from "../../state/permissions.js";
import {remove} from "../channel_menu.js";
import {html} from "../html.js";
import {duration} from "../member_actions.js";
import {leave} from "../unsaved.js";
import {useSelect} from "../use.js";
import {Access} from "./access.js";
import {CheckField, SelectField, SettingsForm, TextField} from "./fields.js";

const CATEGORY = 4;
const TEXT = 0;
const ANNOUNCEMENT = 5;
/** Pauses of the slow mode, in seconds. */
const PAUSES = [0, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600];

/** @param {{guild: string, id: string, section?: string}} properties */
export function ChannelSettings({guild: guildId, id, section}) {
  const guild = useSelect((state) => state.guilds[guildId]);
  const me = useSelect((state) => state.me?.id);
  const [chosen, choose] = useState(section ?? "overview");
  const channel = guild?.channels[id];
  if (channel === undefined) return null;
  const granted = permissionsOf(guild, me, channel);
  const shown = [
    (granted & MANAGE_CHANNELS) !== 0n && "overview",
    (granted & MANAGE_ROLES) !== 0n && "permissions",
  ].filter(Boolean);
  const name = shown.includes(chosen) ? chosen : shown[0];
  if (!name) return html`<p class="notice" role="alert">${t("error-forbidden")}</p>`;
  return html`<div class="settings">
    <nav aria-label=${t("guild-sections")}>
      ${shown.map(
        (each) => html`<button
          type="button"
          key=${each}
          aria-current=${each === name ? "page" : undefined}
          onClick=${() => leave(() => choose(String(each)))}
        >
          ${t(`guild-section-${each}`)}
        </button>`,
      )}
    </nav>
    <section aria-label=${t(`guild-section-${name}`)}>
      <h2>${t(`guild-section-${name}`)}</h2>
      ${name === "overview"
        ? html`<${Overview} channel=${channel} />`
        : html`<${Access} key=${id} guild=${guild} channel=${channel} me=${me} />`}
    </section>
  </div>`;
}

/** @param {{channel: any}} properties */
function Overview({channel}) {
  const isCategory = channel.type === CATEGORY;
  const save = (/** @type {any} */ values) => {
    const wanted = {
      name: values.name,
      ...(isCategory
        ? {}
        : {
            topic: values.topic.trim() || null,
            rate_limit_per_user: Number(values.pause),
            nsfw: values.nsfw === "on",
            type: Number(values.type),
          }),
    };
    return changeChannel(channel.id, wanted);
  };
  const pauses = [...new Set([...PAUSES, channel.rate_limit_per_user ?? 0])].sort((a, b) => a - b);
  return html`<${SettingsForm} onSave=${save}>
      <${TextField}
        label=${t(isCategory ? "category-name" : "channel-name")}
        name="name"
        value=${channel.name}
        maxLength=${100}
      />
      ${!isCategory &&
      html`<${TextField}
          label=${t("topic")}
          name="topic"
          value=${channel.topic ?? ""}
          maxLength=${1024}
          isOptional=${true}
          isLong=${true}
        />
        <${SelectField}
          label=${t("channel-type")}
          name="type"
          value=${String(channel.type)}
          options=${[
            [String(TEXT), t("type-text")],
            [String(ANNOUNCEMENT), t("type-announcement")],
          ]}
        />
        <${SelectField}
          label=${t("channel-slow-mode")}
          name="pause"
          value=${String(channel.rate_limit_per_user ?? 0)}
          options=${pauses.map((each) => [String(each), each === 0 ? t("slow-mode-off") : pause(each)])}
          about=${t("slow-mode-about")}
        />
        <${CheckField} label=${t("nsfw")} about=${t("nsfw-about")} name="nsfw" isChecked=${channel.nsfw} />`}
    <//>
    <div class="danger-zone">
      <button type="button" class="dangerous" onClick=${() => remove(channel)}>
        ${t(isCategory ? "delete-category" : "delete-channel")}
      </button>
    </div>`;
}

/** @param {number} seconds */
const pause = (seconds) => (seconds < 60 ? t("seconds", {count: seconds}) : duration(seconds));

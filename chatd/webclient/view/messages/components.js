/** Components of messages: buttons and selects to use, and blocks to read. */

import {useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {useComponent} from "../../net/interactions.js";
import {reason} from "../../net/reasons.js";
import {html} from "../html.js";
import {Download} from "./attachments.js";
import {Picture} from "./embeds.js";
import {Markdown} from "./markdown.js";
import {link} from "./markdown_inline.js";
import {Select} from "./select_component.js";
import {Spoiler} from "./spoiler.js";
import {modals} from "./ui.js";

/** Styles of buttons. Rule: Discord docs, Button Styles. @type {Record<number, string>} */
const STYLES = {1: "primary", 2: "", 3: "success", 4: "danger", 5: "link-out"};

/** @param {{message: any}} properties */
export function Components({message}) {
  const [busy, setBusy] = useState("");
  const [error, setError] = useState("");
  const use = async (/** @type {any} */ component, /** @type {string[] | undefined} */ values) => {
    setBusy(component.custom_id);
    setError("");
    try {
      const outcome = await useComponent(message, component, values);
      if (outcome.kind === "failed") setError(t("interaction-failed"));
      if (outcome.kind === "modal") modals.value = [...modals.value, outcome.modal];
    } catch (failure) {
      setError(reason(failure));
    } finally {
      setBusy("");
    }
  };
  const context = {message, busy, use};
  return html`<div class="components">
    ${message.components.map((/** @type {any} */ each, /** @type {number} */ at) => html`<${Component} key=${at} component=${each} context=${context} />`)}
    ${error && html`<p class="error" role="alert">${error}</p>`}
  </div>`;
}

/** @typedef {{message: any, busy: string, use: (component: any, values?: string[]) => void}} Context */

/** How each type is shown. Rule: Discord docs, Component Types. @type {Record<number, (component: any, context: Context) => any>} */
const VIEWS = {
  1: ({components}, context) => html`<div class="row">${inside(components, context)}</div>`,
  2: (component, context) => html`<${Button} component=${component} context=${context} />`,
  3: select,
  5: select,
  6: select,
  7: select,
  8: select,
  9: ({components, accessory}, context) =>
    html`<div class="section"><div>${inside(components, context)}</div>${inside([accessory], context)}</div>`,
  10: ({content}) => html`<div class="text"><${Markdown} text=${content} /></div>`,
  11: ({media, description, spoiler}) => hidden(spoiler, medium(media, description, "thumbnail")),
  12: ({items}) =>
    html`<div class="gallery">
      ${items.map((/** @type {any} */ each) => hidden(each.spoiler, medium(each.media, each.description)))}
    </div>`,
  13: ({file, name, size, spoiler}) => hidden(spoiler, download(file, name, size)),
  14: ({divider}) => (divider === false ? html`<div class="gap"></div>` : html`<hr />`),
  17: ({components, accent_color: color, spoiler}, context) =>
    hidden(
      spoiler,
      html`<div
        class="container"
        style=${typeof color === "number" && {borderInlineStartColor: `#${color.toString(16).padStart(6, "0")}`}}
      >
        ${inside(components, context)}
      </div>`,
    ),
};

/** @param {{component: any, context: Context}} properties */
const Component = ({component, context}) => VIEWS[component.type]?.(component, context) ?? null;

/** @param {any[]} components @param {Context} context */
const inside = (components, context) =>
  components.map((each, at) => html`<${Component} key=${at} component=${each} context=${context} />`);

/** @param {boolean | undefined} isSpoiler @param {any} node */
const hidden = (isSpoiler, node) => (isSpoiler ? html`<${Spoiler}>${node}<//>` : node);

/** @param {any} media @param {string | undefined} description @param {string} [className] */
const medium = (media, description, className) =>
  html`<${Picture}
    picture=${{...media, description}}
    name=${t("embed-picture")}
    className=${className ?? ""}
    isFile=${Boolean(media.attachment_id)}
  />`;

/** @param {any} file @param {string} name @param {number} size */
const download = (file, name, size) =>
  html`<${Download} file=${{url: file.url, filename: name ?? t("file"), size: size ?? 0}} />`;

/** @param {any} component @param {Context} context */
function select(component, {message, busy, use}) {
  const isBusy = busy === component.custom_id;
  return html`<${Select} component=${component} message=${message} isBusy=${isBusy} onChoose=${(/** @type {string[]} */ values) => use(component, values)} />`;
}

/** @param {{component: any, context: Context}} properties */
function Button({component, context}) {
  const {label, emoji, style, url, disabled, custom_id: id} = component;
  const text = html`${emoji && (emoji.id ? `:${emoji.name}:` : emoji.name)} ${label}`;
  if (url !== undefined) return html`<span class="button-link">${link(url, text)}</span>`;
  return html`<button
    type="button"
    class=${STYLES[style] ?? ""}
    disabled=${disabled || context.busy === id}
    aria-busy=${context.busy === id}
    onClick=${() => context.use(component)}
  >
    ${text}
  </button>`;
}

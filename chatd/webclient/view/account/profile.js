/** What others see of the user: picture, name, and a text. */

import {useRef, useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {changeAccount} from "../../net/account_actions.js";
import {Avatar} from "../avatar.js";
import {closeDialog, openDialog} from "../dialog.js";
import {reason} from "../../net/reasons.js";
import {Field, Form} from "../form.js";
import {html} from "../html.js";
import {useSelect} from "../use.js";
import {Crop} from "./crop.js";

const MAX_NAME = 32;
const MAX_BIO = 190;

export function Profile() {
  const me = useSelect((state) => state.me);
  if (me === null) return null;
  const change = (/** @type {any} */ {global_name, bio}) =>
    changeAccount({global_name: global_name.trim() || null, bio});
  return html`<${Picture} me=${me} />
    <${Form} onSubmit=${change} submit=${t("save")} done=${t("saved")}>
      <${Field}
        label=${t("display-name")}
        name="global_name"
        value=${me.global_name ?? ""}
        hint=${t("display-name-hint", {name: me.username})}
        maxLength=${MAX_NAME}
        isOptional=${true}
      />
      <${Field}
        label=${t("bio")}
        name="bio"
        value=${me.bio ?? ""}
        hint=${t("bio-hint", {count: MAX_BIO})}
        maxLength=${MAX_BIO}
        rows=${4}
        isOptional=${true}
      />
    <//>`;
}

/** @param {{me: any}} properties */
function Picture({me}) {
  const picker = useRef(/** @type {any} */ (null));
  const [text, setText] = useState("");
  const chosen = (/** @type {any} */ event) => {
    const [file] = event.target.files;
    event.target.value = "";
    if (file) openDialog(t("crop-picture"), html`<${Crop} file=${file} onDone=${use} />`);
  };
  const use = async (/** @type {string | null} */ avatar) => {
    await changeAccount({avatar});
    closeDialog();
    setText(t("saved"));
  };
  const remove = () => use(null).catch((error) => setText(reason(error)));
  return html`<div class="own-picture">
    <${Avatar} user=${me} />
    <div>
      <button type="button" onClick=${() => picker.current.click()}>${t("choose-picture")}</button>
      ${me.avatar && html`<button type="button" onClick=${remove}>${t("remove-picture")}</button>`}
      <p class="muted" role="status">${text || t("picture-hint")}</p>
    </div>
    <input
      ref=${picker}
      type="file"
      accept="image/png,image/jpeg,image/gif,image/webp,image/avif"
      aria-label=${t("choose-picture")}
      hidden
      onChange=${chosen}
    />
  </div>`;
}

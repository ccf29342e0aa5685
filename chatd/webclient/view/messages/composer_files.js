/** Files of the message that is being written: previews, descriptions, spoilers. */

import {t} from "../../lang/translate.js";
import {isReadable} from "../../net/files.js";
import {limits} from "../../net/limits.js";
import {html} from "../html.js";
import {IconButton} from "../icons.js";
import {size} from "./files.js";

/** @typedef {import("./drafts.js").DraftFile} DraftFile */

let lastId = 0;

/**
 * Return files with those that were added, and why others were not.
 * @param {DraftFile[]} present @param {FileList | DataTransfer} more
 * @returns {Promise<{files: DraftFile[], refused: string}>}
 */
export async function added(present, more) {
  const candidates = filesOf(more); // at once: what is dropped or pasted is there for a moment
  const {maxAttachments, maxAttachmentSize} = await limits();
  const files = [...present];
  const refused = [];
  for (const {file, isFolder} of candidates) {
    if (isFolder || !(await isReadable(file))) {
      refused.push(t("file-unreadable", {name: file.name}));
    } else if (file.size > maxAttachmentSize) {
      refused.push(t("file-too-large", {name: file.name, size: size(file.size), limit: size(maxAttachmentSize)}));
    } else if (files.length >= maxAttachments) {
      refused.push(t("too-many-files", {name: file.name, limit: maxAttachments}));
    } else {
      lastId += 1;
      const preview = file.type.startsWith("image/") ? URL.createObjectURL(file) : "";
      files.push({id: lastId, file, isSpoiler: false, description: "", preview});
    }
  }
  return {files, refused: refused.join(" ")};
}

/**
 * Return files, and whether they are folders: browsers offer a folder as if it were a file.
 * @param {FileList | DataTransfer} source
 * @returns {{file: File, isFolder: boolean}[]}
 */
function filesOf(source) {
  if (source instanceof FileList) return [...source].map((file) => ({file, isFolder: false}));
  return [...source.items].flatMap((item) => {
    const file = item.getAsFile();
    return file === null ? [] : [{file, isFolder: item.webkitGetAsEntry()?.isDirectory ?? false}];
  });
}

/** Return a file as it is sent. @param {DraftFile} draft */
export const sent = ({file, isSpoiler}) =>
  isSpoiler ? new File([file], `SPOILER_${file.name}`, {type: file.type}) : file;

/** Free the preview of a file. @param {DraftFile} draft */
export function release({preview}) {
  if (preview) URL.revokeObjectURL(preview);
}

/** @param {{files: DraftFile[], onChange: (files: DraftFile[]) => void}} properties */
export function ComposerFiles({files, onChange}) {
  if (files.length === 0) return null;
  const change = (/** @type {DraftFile} */ one, /** @type {Partial<DraftFile>} */ by) =>
    onChange(files.map((each) => (each.id === one.id ? {...each, ...by} : each)));
  const remove = (/** @type {DraftFile} */ one) => {
    release(one);
    onChange(files.filter((each) => each.id !== one.id));
  };
  return html`<ul class="files" aria-label=${t("files")}>
    ${files.map(
      (each) => html`<li key=${each.id}>
        <div class="preview" data-spoiler=${each.isSpoiler}>
          ${each.preview ? html`<img src=${each.preview} alt="" />` : html`<span class="extension">${extension(each.file.name)}</span>`}
        </div>
        <p class="name" title=${each.file.name}>${each.file.name}</p>
        <small class="muted">${size(each.file.size)}</small>
        <input
          type="text"
          aria-label=${t("describe-file", {name: each.file.name})}
          placeholder=${t("description")}
          maxlength="1024"
          value=${each.description}
          onInput=${(/** @type {any} */ event) => change(each, {description: event.target.value})}
        />
        <label class="check"
          ><input
            type="checkbox"
            checked=${each.isSpoiler}
            onChange=${() => change(each, {isSpoiler: !each.isSpoiler})}
          />
          ${t("hide-as-spoiler")}</label
        >
        <${IconButton} icon="close" label=${t("remove-file", {name: each.file.name})} onClick=${() => remove(each)} />
      </li>`,
    )}
  </ul>`;
}

/** @param {string} name */
const extension = (name) => (name.includes(".") ? name.split(".").at(-1)?.slice(0, 5) : "");

/** A choice of emoji, by group or by name. */

import {useEffect, useRef, useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {html} from "../html.js";
import {Outdated} from "../lazy.js";
import {emoji, emojiLike, recent, used} from "./emoji.js";

const MAX_FOUND = 120;
/** The emoji of a row, as the style sheet has it. */
const COLUMNS = 8;

/** @param {{onChoose: (emoji: string) => void}} properties */
export function EmojiPicker({onChoose}) {
  const [all, setAll] = useState(/** @type {import("./emoji.js").Emoji[]} */ ([]));
  const [hasFailed, setFailed] = useState(false);
  const [text, setText] = useState("");
  const [group, setGroup] = useState("");
  const [hovered, setHovered] = useState("");
  const field = useRef(/** @type {any} */ (null));
  const grid = useRef(/** @type {any} */ (null));
  useEffect(() => {
    field.current.focus();
    emoji().then(setAll, () => setFailed(true));
  }, []);
  const groups = [...new Set(all.map((each) => each.group))];
  const lately = recent();
  const chosen = group || (lately.length > 0 ? "recent" : (groups[0] ?? ""));
  const ofGroup =
    chosen === "recent"
      ? lately.flatMap((one) => all.find((each) => each.text === one) ?? [])
      : all.filter((each) => each.group === chosen);
  const shown = text.trim() === "" ? ofGroup : emojiLike(all, text.trim(), MAX_FOUND);
  const choose = (/** @type {string} */ one) => {
    used(one);
    onChoose(one);
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const buttons = /** @type {any[]} */ ([...grid.current.querySelectorAll("button")]);
    const at = buttons.indexOf(document.activeElement);
    if (at < 0) {
      if (event.key === "ArrowDown") buttons[0]?.focus();
      if (event.key === "Enter" && shown.length > 0) {
        event.preventDefault();
        choose(shown[0].text);
      }
      return;
    }
    const moves = {ArrowRight: 1, ArrowLeft: -1, ArrowDown: COLUMNS, ArrowUp: -COLUMNS};
    const by = moves[/** @type {keyof typeof moves} */ (event.key)];
    if (by === undefined) return;
    event.preventDefault();
    if (at + by < 0) field.current.focus();
    else buttons[at + by]?.focus();
  };
  return html`<div class="emoji-picker" onKeyDown=${onKeyDown}>
    <input
      ref=${field}
      type="search"
      aria-label=${t("emoji-search")}
      placeholder=${t("emoji-search")}
      value=${text}
      onInput=${(/** @type {any} */ event) => setText(event.target.value)}
    />
    <div class="groups" role="group" aria-label=${t("emoji-groups")}>
      ${[...(lately.length > 0 ? ["recent"] : []), ...groups].map(
        (id) => html`<button
          type="button"
          class="icon"
          key=${id}
          aria-pressed=${text === "" && chosen === id}
          aria-label=${t(`emoji-${id}`)}
          title=${t(`emoji-${id}`)}
          onClick=${() => {
            setText("");
            setGroup(id);
          }}
        >
          ${id === "recent" ? "🕘" : all.find((each) => each.group === id)?.text}
        </button>`,
      )}
    </div>
    <div class="grid" ref=${grid}>
      ${shown.map(
        (each, at) => html`<button
          type="button"
          class="icon"
          key=${each.text}
          tabindex=${at === 0 ? 0 : -1}
          aria-label=${each.label}
          title=${`:${each.codes[0]}:`}
          onMouseEnter=${() => setHovered(each.codes[0])}
          onFocus=${() => setHovered(each.codes[0])}
          onClick=${() => choose(each.text)}
        >
          ${each.text}
        </button>`,
      )}
      ${hasFailed && html`<${Outdated} />`}
      ${!hasFailed && all.length > 0 && shown.length === 0 && html`<p class="muted" role="status">${t("emoji-none")}</p>`}
    </div>
    <p class="muted hovered">${hovered && `:${hovered}:`}</p>
  </div>`;
}

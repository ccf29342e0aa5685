/** The list of completions of a text field, and the keys that choose from it. */

import {useEffect, useId, useRef, useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {html} from "../html.js";
import {optionsFor, triggerAt} from "./completion.js";

/** @typedef {import("./completion.js").Option} Option */

/**
 * @param {{channel: string, text: string, field: any,
 *   onComplete: (from: number, to: number, option: Option) => void}} properties
 */
export function useCompletion({channel, text, field, onComplete}) {
  const id = useId();
  const [options, setOptions] = useState(/** @type {Option[]} */ ([]));
  const [at, setAt] = useState(0);
  const trigger = useRef(/** @type {import("./completion.js").Trigger | null} */ (null));
  const asked = useRef(0);

  /** Look at what stands before the caret. */
  const look = () => {
    const {value, selectionStart, selectionEnd} = field.current;
    const found = selectionStart === selectionEnd ? triggerAt(value, selectionStart) : null;
    trigger.current = found;
    asked.current += 1;
    const own = asked.current;
    if (found === null) return setOptions([]);
    optionsFor(channel, found).then(
      (more) => {
        if (own !== asked.current) return;
        setOptions(more);
        setAt(0);
      },
      () => setOptions([]), // the emoji could not be loaded
    );
  };
  useEffect(() => {
    if (document.activeElement === field.current) look();
  }, [text]);

  const close = () => {
    asked.current += 1;
    setOptions([]);
  };
  const choose = (/** @type {Option} */ option) => {
    const {value, selectionStart} = field.current;
    const hasSpace = option.insert.endsWith(" ") && value[selectionStart] === " ";
    close();
    onComplete(trigger.current?.from ?? selectionStart, selectionStart + (hasSpace ? 1 : 0), option);
  };
  /** @param {KeyboardEvent} event @returns {boolean} whether the key was for the list */
  const onKeyDown = (event) => {
    if (options.length === 0) return false;
    if (event.key === "ArrowDown") setAt((at + 1) % options.length);
    else if (event.key === "ArrowUp") setAt((at - 1 + options.length) % options.length);
    else if ((event.key === "Enter" && !event.shiftKey) || event.key === "Tab") choose(options[at]);
    else if (event.key === "Escape") close();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
  const isOpen = options.length > 0;
  const list = html`<div class="completion" hidden=${!isOpen}>
    <ul role="listbox" id=${id} aria-label=${t("completions")}>
      ${options.map(
        (option, index) => html`<li
          key=${option.key}
          role="option"
          id=${`${id}-${index}`}
          aria-selected=${index === at}
          onMouseDown=${(/** @type {Event} */ event) => {
            event.preventDefault(); // the field keeps the focus
            choose(option);
          }}
        >
          <span class="name">${option.label}</span> <small class="muted">${option.detail}</small>
        </li>`,
      )}
    </ul>
  </div>`;
  /** Attributes of the field. */
  const attributes = {
    "aria-autocomplete": "list",
    "aria-haspopup": "listbox",
    "aria-controls": isOpen ? id : undefined,
    "aria-activedescendant": isOpen ? `${id}-${at}` : undefined,
  };
  return {list, attributes, onKeyDown, look, close};
}

/** Menus: buttons that open them, and their items. */

import {useRef} from "../vendor/hooks.js";
import {html} from "./html.js";
import {Icon} from "./icons.js";
import {closePopover, openPopover} from "./popover.js";

/**
 * @typedef {object} Item
 * @property {string} label
 * @property {() => unknown} run
 * @property {string} [key] that does the same without the menu
 * @property {boolean} [isDangerous]
 * @property {boolean} [startsGroup] A line separates it from the item before.
 *
 * @typedef {(Item | false | null | undefined | 0n)[]} Items Those that are not shown are false.
 */

/** Open a menu. @param {Event} event @param {string} label @param {Items} items */
export const openMenu = (event, label, items) =>
  openPopover(event, label, html`<${Menu} label=${label} items=${items} />`);

/** @param {{label: string, items: () => Items, icon?: any}} properties */
export const MenuButton = ({label, items, icon = "more"}) =>
  html`<button
    type="button"
    class="icon menu-button"
    aria-haspopup="menu"
    aria-label=${label}
    title=${label}
    onClick=${(/** @type {Event} */ event) => openMenu(event, label, items())}
  >
    <${Icon} name=${icon} />
  </button>`;

/** @param {{label: string, items: Items, onClose?: () => void}} properties */
export function Menu({label, items, onClose = closePopover}) {
  const list = useRef(/** @type {any} */ (null));
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => moveFocus(event, [...list.current.querySelectorAll("button")]);
  const choose = (/** @type {Item} */ item) => () => {
    onClose();
    item.run();
  };
  const shown = /** @type {Item[]} */ (items.filter(Boolean));
  return html`<div class="menu" role="menu" aria-label=${label} ref=${list} onKeyDown=${onKeyDown}>
    ${shown.map(
      (item) => html`<button
        type="button"
        role="menuitem"
        tabindex="-1"
        key=${item.label}
        data-dangerous=${Boolean(item.isDangerous)}
        data-starts-group=${Boolean(item.startsGroup)}
        onClick=${choose(item)}
      >
        ${item.label}${item.key && html`<kbd aria-hidden="true">${item.key}</kbd>`}
      </button>`,
    )}
  </div>`;
}

/**
 * Move the focus among the items, if the key does so. Rule: ARIA Authoring Practices, Menu.
 * @param {KeyboardEvent} event
 * @param {HTMLElement[]} items
 */
function moveFocus(event, items) {
  const at = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  /** @type {Record<string, number>} */
  const targets = {ArrowDown: at + 1, ArrowUp: Math.max(at, 0) - 1, Home: 0, End: -1};
  if (!Object.hasOwn(targets, event.key)) return;
  event.preventDefault();
  items.at(targets[event.key] % items.length)?.focus();
}

/** A small window at a place of the page: a menu, a card or a choice of emoji. */

import {useLayoutEffect, useRef} from "../vendor/hooks.js";
import {signal} from "../vendor/signals.js";
import {Boundary} from "./boundary.js";
import {html} from "./html.js";
import {useCover} from "./use.js";

/** The distance to the edges of the window, in pixels. */
const EDGE_PX = 8;

/** What `openPopover` has opened: at most one. @type {import("../vendor/signals.js").Signal<any>} */
const opened = signal(null);
let serial = 0;

/**
 * Open a popover at an element, or where the mouse is for a click with its other button. A second
 * click closes it.
 * @param {Event} event
 * @param {string} label
 * @param {any} body
 * @param {{isBeside?: boolean}} [options]
 */
export function openPopover(event, label, body, {isBeside = false} = {}) {
  const anchor = /** @type {Element} */ (event.currentTarget);
  const {clientX: x, clientY: y} = /** @type {MouseEvent} */ (event);
  const isAtMouse = event.type === "contextmenu" && x + y > 0;
  const isAgain = event.type === "click" && opened.peek()?.anchor === anchor;
  event.preventDefault();
  serial += 1;
  opened.value = isAgain
    ? null
    : {anchor, label, body, serial, rect: isAtMouse && new DOMRect(x, y, 0, 0), side: isBeside ? "beside" : "start"};
}

export function closePopover() {
  opened.value = null;
}

/** The popover that `openPopover` has opened. */
export function OpenedPopover() {
  const here = opened.value;
  return (
    here &&
    html`<${Popover} key=${here.serial} ...${here} role="group" hasFocus=${here.side !== "beside"} onClose=${closePopover}>${here.body}<//>`
  );
}

/**
 * The focus goes back to the anchor when it is in the popover at the end.
 * @param {{anchor: Element, rect?: DOMRect, label: string, role?: string, side?: "start" | "end" | "beside",
 *   onClose: () => void, children?: any, className?: string, hasFocus?: boolean}} properties
 */
export function Popover({anchor, rect, label, role = "dialog", side = "end", onClose, children, className = "", hasFocus = true}) {
  const element = useRef(/** @type {any} */ (null));
  useCover(onClose);
  useLayoutEffect(() => {
    const popover = element.current;
    const width = innerWidth;
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    // Where it is now: the buttons of a message disappear when the focus goes to this window.
    const at = rect || anchor.getBoundingClientRect();
    popover.showPopover();
    place(popover, at, side);
    const watcher = new ResizeObserver(() => place(popover, at, side)); // what it shows is loaded
    watcher.observe(popover);
    if (hasFocus) popover.querySelector("input, [role=menuitem], button")?.focus();
    // Not popover="auto": that closes when the mouse button which opened it is released.
    const onPress = (/** @type {Event} */ event) => {
      const target = /** @type {Node} */ (event.target);
      if (!popover.contains(target) && !anchor.contains(target)) onClose();
    };
    const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
      const leavesMenu = event.key === "Tab" && document.activeElement?.role === "menuitem";
      if (event.key !== "Escape" && !leavesMenu) return;
      event.preventDefault();
      event.stopPropagation(); // Escape closes the page below, too
      onClose();
    };
    // The keyboard of a phone changes the height alone, and comes when a field here gets the focus.
    const onResize = () => (innerWidth === width ? place(popover, at, side) : onClose());
    document.addEventListener("pointerdown", onPress, true);
    document.addEventListener("keydown", onKeyDown, true);
    addEventListener("resize", onResize);
    return () => {
      watcher.disconnect();
      document.removeEventListener("pointerdown", onPress, true);
      document.removeEventListener("keydown", onKeyDown, true);
      removeEventListener("resize", onResize);
      if (popover.contains(document.activeElement)) back(anchor, before);
    };
  }, [anchor]);
  return html`<div class=${`popover ${className}`} popover="manual" ref=${element} role=${role} aria-label=${label}>
    <${Boundary}>${children}<//>
  </div>`;
}

/**
 * Give the focus back to where a popover was opened.
 * @param {Element} anchor @param {HTMLElement | null} [otherwise] for an anchor that cannot have it
 */
export function back(anchor, otherwise) {
  const target = anchor.isConnected ? anchor : document.querySelector('[data-id][tabindex="0"]');
  /** @type {any} */ (target)?.focus({preventScroll: true});
  if (document.activeElement !== target) otherwise?.focus({preventScroll: true});
}

/**
 * Place a window below or above a place, wherever there is room, or beside it.
 * @param {HTMLElement} element @param {DOMRect} at @param {"start" | "end" | "beside"} side
 */
function place(element, at, side) {
  const {width, height} = element.getBoundingClientRect();
  const isRtl = getComputedStyle(element).direction === "rtl";
  const isBeside = side === "beside";
  const leftSide = at.left - width - EDGE_PX;
  const aligned = (side === "end") === isRtl ? at.left : at.right - width;
  const left = !isBeside ? aligned : leftSide > 0 ? leftSide : at.right + EDGE_PX;
  const below = isBeside ? at.top : at.bottom;
  const hasRoom = isBeside || below + height + EDGE_PX < innerHeight;
  const top = hasRoom ? below : Math.min(at.top, innerHeight - EDGE_PX) - height;
  const within = (/** @type {number} */ value, /** @type {number} */ size, /** @type {number} */ whole) =>
    `${Math.max(EDGE_PX, Math.min(value, whole - size - EDGE_PX))}px`;
  element.style.left = within(left, width, innerWidth);
  element.style.top = within(top, height, innerHeight);
}

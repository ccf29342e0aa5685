/**
 * The place in a list that grows and shrinks at both ends. Browsers can keep it themselves, but not all
 * of them do, and none when the element at the edge is removed.
 */

/** The view follows new messages while it is this near to the newest one, in pixels. */
const BOTTOM_PX = 60;

export class Scroll {
  /** @param {HTMLElement} view The element that scrolls; its entries have `data-id`. */
  constructor(view) {
    this._view = view;
    this.isAtBottom = true;
    /** Entries in view and where they were, the first one at the edge. @type {{id: string, top: number}[]} */
    this._anchors = [];
  }

  /** Pixels below the view. */
  get below() {
    const {scrollHeight, scrollTop, clientHeight} = this._view;
    return scrollHeight - scrollTop - clientHeight;
  }

  get above() {
    return this._view.scrollTop;
  }

  /** Note where the view is. */
  remember() {
    this.isAtBottom = this.below < BOTTOM_PX;
    const {top, bottom} = this._view.getBoundingClientRect();
    this._anchors = [];
    for (const each of this._entries()) {
      const place = each.getBoundingClientRect();
      if (place.bottom <= top) continue;
      if (place.top >= bottom) break;
      this._anchors.push({id: each.dataset.id ?? "", top: place.top});
    }
  }

  /** Return to the place that was noted, after the list has changed. */
  restore() {
    for (const {id, top} of this._anchors) {
      const entry = this.entry(id);
      if (entry === null) continue;
      this._view.scrollTop += entry.getBoundingClientRect().top - top;
      return;
    }
  }

  toBottom() {
    this._view.scrollTop = this._view.scrollHeight;
    this.remember();
  }

  /** Move an entry to the middle of the view. @param {HTMLElement} entry */
  toMiddle(entry) {
    const view = this._view.getBoundingClientRect();
    const place = entry.getBoundingClientRect();
    const room = Math.max(0, (view.height - place.height) / 2);
    this._view.scrollTop += place.top - view.top - room;
    this.remember();
  }

  /** Return whether an entry is in view, at least in part. @param {Element} entry */
  shows(entry) {
    const view = this._view.getBoundingClientRect();
    const place = entry.getBoundingClientRect();
    return place.bottom > view.top && place.top < view.bottom;
  }

  /** @param {string} id @returns {HTMLElement | null} */
  entry(id) {
    return this._view.querySelector(`[data-id="${CSS.escape(id)}"]`);
  }

  /** @returns {Iterable<HTMLElement>} */
  _entries() {
    return this._view.querySelectorAll("[data-id]");
  }
}

/** Views that are rendered again only when their properties are others. */

import {Component} from "../vendor/preact.js";
import {html} from "./html.js";

/**
 * Return a component that renders another one, and skips it while its properties stay the same.
 *
 * Keeping the nodes of the last rendering instead would keep all renderings: a node refers to its
 * parent, and that one to all its children.
 * @param {any} view
 * @returns {any}
 */
export function memo(view) {
  return class Memo extends Component {
    /** @param {any} next */
    shouldComponentUpdate(next) {
      /** @type {any} */
      const present = this.props;
      return Object.keys({...next, ...present}).some((name) => next[name] !== present[name]);
    }

    /** @param {any} properties */
    render(properties) {
      return html`<${view} ...${properties} />`;
    }
  };
}

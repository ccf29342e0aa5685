/** Templates of views: HTML in tagged templates, which become nodes and never `innerHTML`. */

import htm from "../vendor/htm.js";
import {h} from "../vendor/preact.js";
import "../vendor/signals.js"; // views that read a signal are rendered again when it changes

export const html = htm.bind(h);

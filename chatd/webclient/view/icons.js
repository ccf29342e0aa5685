/** Icons, as paths on a grid of 24 by 24. */

import {html} from "./html.js";

const PATHS = {
  close: "M6 6l12 12M18 6L6 18",
  file: "M12 5v14M5 12h14",
  invite: "M15 19v-1a4 4 0 0 0-4-4H7a4 4 0 0 0-4 4v1M9 10a3 3 0 1 0 0-6 3 3 0 0 0 0 6M19 8v6M16 11h6",
  leave: "M9 4H5v16h4M14 8l4 4-4 4M18 12H9",
  mail: "M3 6h18v12H3zM3 7l9 7 9-7",
  members: "M4 6h16M4 12h16M4 18h16",
  settings:
    "M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6M12 3v3M12 18v3M3 12h3M18 12h3M5.6 5.6l2.2 2.2M16.2 16.2l2.2 2.2M5.6 18.4l2.2-2.2M16.2 7.8l2.2-2.2",
};

/** @param {{name: keyof typeof PATHS}} properties */
export const Icon = ({name}) =>
  html`<svg
    viewBox="0 0 24 24"
    width="18"
    height="18"
    fill="none"
    stroke="currentColor"
    stroke-width="2"
    stroke-linecap="round"
    stroke-linejoin="round"
    aria-hidden="true"
  >
    <path d=${PATHS[name]} />
  </svg>`;

/** @param {{icon: keyof typeof PATHS, label: string, onClick: () => void, isExpanded?: boolean}} properties */
export const IconButton = ({icon, label, onClick, isExpanded}) =>
  html`<button
    type="button"
    class="icon"
    aria-label=${label}
    title=${label}
    aria-expanded=${isExpanded}
    onClick=${onClick}
  >
    <${Icon} name=${icon} />
  </button>`;

/** Icons, as paths on a grid of 24 by 24. */

import {html} from "./html.js";

const PATHS = {
  announcement: "M4 10v4h3l7 4V6l-7 4zM18 9a4 4 0 0 1 0 6",
  category: "M7 10l5 5 5-5",
  close: "M6 6l12 12M18 6L6 18",
  file: "M12 5v14M5 12h14",
  invite: "M15 19v-1a4 4 0 0 0-4-4H7a4 4 0 0 0-4 4v1M9 10a3 3 0 1 0 0-6 3 3 0 0 0 0 6M19 8v6M16 11h6",
  leave: "M9 4H5v16h4M14 8l4 4-4 4M18 12H9",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  mail: "M3 6h18v12H3zM3 7l9 7 9-7",
  members: "M16 19v-1a4 4 0 0 0-4-4H7a4 4 0 0 0-4 4v1M9.5 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7M21 19v-1a4 4 0 0 0-3-3.8M15.5 4.2a3.5 3.5 0 0 1 0 6.6",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  muted: "M6 9a6 6 0 0 1 9-5M18 10c0 5 2 6 2 7H8M5 17c0-1 1-2 1-4M10 20h4M3 3l18 18",
  pencil: "M4 20l1-4L16 5l3 3L8 19zM14 7l3 3",
  pin: "M9 4h6l-1 6 3 3H7l3-3zM12 13v7",
  reply: "M9 7l-5 5 5 5M4 12h9a6 6 0 0 1 6 6",
  search: "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14M15 15l6 6",
  smile: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18M8.5 14a4 4 0 0 0 7 0M9 9.5h.01M15 9.5h.01",
  back: "M15 5l-7 7 7 7",
  calendar: "M4 6h16v14H4zM4 10h16M8 3v4M16 3v4",
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

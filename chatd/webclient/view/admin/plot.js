/** A small plot of values over time, with the latest one as a number. */

import {locale, t} from "../../lang/translate.js";
import {html} from "../html.js";

const WIDTH = 160;
const HEIGHT = 40;

/** @param {{title: string, values: number[]}} properties */
export function Plot({title, values}) {
  const latest = values.at(-1);
  const highest = Math.max(1, ...values);
  const points = values.map((value, at) => {
    const x = values.length > 1 ? (at / (values.length - 1)) * WIDTH : WIDTH;
    return `${x.toFixed(1)},${(HEIGHT - 1 - (value / highest) * (HEIGHT - 2)).toFixed(1)}`;
  });
  const text = latest === undefined ? "…" : number(latest);
  return html`<figure class="plot">
    <figcaption>${title}</figcaption>
    <strong>${text}</strong>
    <svg
      viewBox=${`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label=${t("plot-text", {title, latest: text, highest: number(Math.max(0, ...values))})}
    >
      <polyline points=${points.join(" ")} />
    </svg>
  </figure>`;
}

/** @param {number} value */
const number = (value) =>
  value.toLocaleString(locale(), {maximumFractionDigits: value < 10 ? 1 : 0});

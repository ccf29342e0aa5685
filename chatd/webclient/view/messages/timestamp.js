/** A moment in a text, in the reader's language and time zone. */

import {useEffect, useState} from "../../vendor/hooks.js";
import {html} from "../html.js";
import {locale} from "../../lang/translate.js";
import {now} from "../../state/clock.js";
import {formatted} from "./message_time.js";

/** Rule: Discord docs, Message Formatting, "Timestamp Styles". @type {Record<string, Intl.DateTimeFormatOptions>} */
const FORMS = {
  t: {timeStyle: "short"},
  T: {timeStyle: "medium"},
  d: {dateStyle: "short"},
  D: {dateStyle: "long"},
  f: {dateStyle: "long", timeStyle: "short"},
  F: {dateStyle: "full", timeStyle: "short"},
};
/** Seconds of each unit, the longest first. @type {[Intl.RelativeTimeFormatUnit, number][]} */
const UNITS = [
  ["year", 31_556_952],
  ["month", 2_629_746],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];
const EVERY_MS = 10_000;

/** @param {{seconds: number, form: string}} properties */
export function Timestamp({seconds, form}) {
  const moment = new Date(seconds * 1000);
  const isMoment = !Number.isNaN(moment.getTime());
  const present = () => (form === "R" ? relative(seconds - now() / 1000) : formatted(moment, FORMS[form]));
  const [text, setText] = useState(isMoment ? present : String(seconds));
  useEffect(() => {
    if (!isMoment) return;
    setText(present());
    if (form !== "R") return;
    // The view is rendered again only if its text has changed: a channel can have thousands of these.
    const timer = setInterval(() => setText(present()), EVERY_MS);
    return () => clearInterval(timer);
  }, [form, seconds]);
  if (!isMoment) return text;
  const full = formatted(moment, FORMS.F);
  return html`<time class="timestamp" datetime=${moment.toISOString()} title=${full}>${text}</time>`;
}

/** The format of differences, which is costly to make, and its language. */
let differences = new Intl.RelativeTimeFormat("en", {numeric: "auto"});
let differencesIn = "en";

/** @param {number} difference in seconds */
function relative(difference) {
  const language = locale();
  if (language !== differencesIn) {
    differences = new Intl.RelativeTimeFormat(language, {numeric: "auto"});
    differencesIn = language;
  }
  const [unit, length] = UNITS.find(([, each]) => Math.abs(difference) >= each) ?? ["second", 1];
  return differences.format(Math.trunc(difference / length), unit);
}

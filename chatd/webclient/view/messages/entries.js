/** The messages of a timeline with what divides them: days, and what is new. */

import {locale, t} from "../../lang/translate.js";
import {compareIds} from "../../state/shape.js";
import {state} from "../../state/store.js";
import {Boundary} from "../boundary.js";
import {html} from "../html.js";
import {memo} from "../memo.js";
import {Message} from "./message.js";
import {isWritten} from "./system.js";

/** Messages of one author within this time are shown as one group, in milliseconds. */
const GROUP_MS = 7 * 60_000;

/** Each new message would render the 300 others otherwise. */
const Entry = memo(Guarded);

/** A message that cannot be shown leaves the others as they are. @param {any} properties */
function Guarded(properties) {
  return html`<${Boundary} tag="li" cause=${properties.message}><${Message} ...${properties} /><//>`;
}

/**
 * @param {import("../../state/shape.js").Timeline} timeline
 * @param {string | null} firstUnread The last message that was read.
 * @param {string | undefined} guild
 */
export const entries = ({messages, atStart}, firstUnread, guild) =>
  messages.flatMap((message, at) => {
    const previous = messages[at - 1];
    // Of the first message that is loaded, another one may have been the first that is new.
    const isOld = previous === undefined ? !atStart : compareIds(previous.id, firstUnread ?? "0") > 0;
    return entry(message, previous, isOld ? null : firstUnread, guild).filter(Boolean);
  });

/** @param {any} message @param {any} previous @param {string | null} firstUnread @param {any} guild */
function entry(message, previous, firstUnread, guild) {
  const isNewDay = previous === undefined || dayOf(previous) !== dayOf(message);
  const isFirstUnread =
    firstUnread !== null &&
    compareIds(message.id, firstUnread) > 0 &&
    message.author.id !== state.peek().me?.id;
  const isContinued = !isNewDay && !isFirstUnread && continues(message, previous);
  return [
    isNewDay && html`<li class="divider" key=${`day ${message.id}`}>${dayText(message.timestamp)}</li>`,
    isFirstUnread && html`<li class="divider new" key="new">${t("new-messages")}</li>`,
    html`<${Entry}
      key=${message.id}
      message=${message}
      isContinued=${isContinued}
      guild=${guild}
      language=${document.documentElement.lang}
    />`,
  ];
}

/** @param {any} message @param {any} previous */
const continues = (message, previous) =>
  previous.author.id === message.author.id &&
  previous.author.username === message.author.username &&
  message.type === 0 &&
  isWritten(previous) &&
  Date.parse(message.timestamp) - Date.parse(previous.timestamp) < GROUP_MS;

/** @param {any} message */
const dayOf = (message) => new Date(message.timestamp).toDateString();

/** @param {string} timestamp */
const dayText = (timestamp) =>
  new Date(timestamp).toLocaleDateString(locale(), {dateStyle: "full"});

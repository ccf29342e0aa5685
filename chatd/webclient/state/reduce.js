/** The reducer: the state after an event. Pure, and total: an unknown event changes nothing. */

import {ACCOUNT} from "./reduce_account.js";
import {CHANNELS} from "./reduce_channels.js";
import {GUILDS} from "./reduce_guilds.js";
import {HISTORY} from "./reduce_history.js";
import {MEMBER_LISTS} from "./reduce_member_lists.js";
import {MESSAGES} from "./reduce_messages.js";

/** @type {Record<string, (state: import("./shape.js").State, data: any) => import("./shape.js").State>} */
const REDUCERS = {...ACCOUNT, ...GUILDS, ...CHANNELS, ...MEMBER_LISTS, ...MESSAGES, ...HISTORY};

/**
 * @param {import("./shape.js").State} state
 * @param {import("./shape.js").Action} action
 */
export function reduce(state, {type, data}) {
  return Object.hasOwn(REDUCERS, type) ? REDUCERS[type](state, data) : state;
}

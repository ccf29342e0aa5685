/** Reports of messages, users and guilds to the administrators of the server. */

import {rest} from "./session.js";

/** @typedef {{type: "message", channel_id: string, message_id: string} | {type: "user", user_id: string}
 *   | {type: "guild", guild_id: string}} Subject */

/** @param {Subject} subject @param {{category: string, comment: string}} values */
export const report = (subject, {category, comment}) => rest.post("/reports", {...subject, category, comment});

/**
 * The types of the state, for editors and `tsc`: no module loads this one.
 *
 * The shape of the state. Reducers never change a part of it: they make a new one, and keep the
 * others as they are.
 *
 * @typedef {Record<string, any>} Json What the server sends, as Discord documents it.
 *
 * @typedef {object} Guild
 * @property {string} id
 * @property {string} name
 * @property {string | null} icon
 * @property {string} owner_id
 * @property {Record<string, Json>} channels Those that the user may see.
 * @property {Record<string, Json>} roles
 * @property {Record<string, Json>} members Those that the page has met: not all of them.
 * @property {number} member_count
 * @property {string | null} description
 * @property {string | null} system_channel_id Where the server says who joins.
 * @property {number} system_channel_flags
 * @property {string | null} rules_channel_id
 * @property {number} default_message_notifications
 * @property {string} preferred_locale
 * @property {number} mfa_level 1 if moderation needs a second factor.
 *
 * @typedef {object} Timeline The messages of a channel that the page has.
 * @property {Json[]} messages In the order of their ids, without gaps.
 * @property {boolean} atStart There are no earlier messages.
 * @property {boolean} atEnd There are no later messages: new ones are appended.
 * @property {string[]} removed Ids of messages that were deleted lately.
 * @property {Pending[]} pending Messages that are not yet sent, in their order.
 *
 * @typedef {object} Pending
 * @property {string} nonce
 * @property {string} content
 * @property {Json | null} reply The message that it replies to.
 * @property {"sending" | "failed"} status
 * @property {string} reason Why it failed.
 * @property {number} progress The part of its files that is sent, from 0 to 1.
 * @property {File[]} files
 * @property {string[]} [lost] Names of files that were not kept when the page was closed.
 * @property {string[]} descriptions Those of the files, for readers that do not see them.
 *
 * @typedef {object} State
 * @property {Json | null} me
 * @property {Record<string, Guild>} guilds
 * @property {Record<string, Json>} privates Direct messages and groups.
 * @property {Record<string, Json>} relationships
 * @property {Record<string, string>} presences The status of users that are not offline.
 * @property {Record<string, {read: string, mentions: number}>} reads By channel.
 * @property {Record<string, string>} newest The newest message of each channel.
 * @property {Record<string, Timeline>} timelines
 * @property {Record<string, Record<string, number>>} typing By channel and user: until when.
 * @property {Record<string, MemberList>} lists By guild.
 * @property {Record<string, Json>} notices Settings of notifications, by guild or "@me".
 *
 * @typedef {object} MemberList
 * @property {string} id Channels that the same members see have one list.
 * @property {Json[]} groups
 * @property {(Json | undefined)[]} items
 * @property {number} online
 *
 * @typedef {{type: string, data: any}} Action An event of the gateway, or one of the page.
 */

export {};

/**
 * All permissions by the names of Discord's documentation, and the groups in which settings show
 * them. Their texts are in the language files: `permission-` and the name in lower case.
 */

/** @type {[string, string[]][]} */
export const GROUPS = [
  [
    "guild",
    [
      "VIEW_CHANNEL",
      "MANAGE_CHANNELS",
      "MANAGE_ROLES",
      "MANAGE_GUILD",
      "VIEW_AUDIT_LOG",
      "MANAGE_WEBHOOKS",
      "ADMINISTRATOR",
    ],
  ],
  [
    "members",
    [
      "CREATE_INSTANT_INVITE",
      "CHANGE_NICKNAME",
      "MANAGE_NICKNAMES",
      "KICK_MEMBERS",
      "BAN_MEMBERS",
      "MODERATE_MEMBERS",
    ],
  ],
  [
    "text",
    [
      "SEND_MESSAGES",
      "READ_MESSAGE_HISTORY",
      "EMBED_LINKS",
      "ATTACH_FILES",
      "ADD_REACTIONS",
      "USE_EXTERNAL_EMOJIS",
      "MENTION_EVERYONE",
      "MANAGE_MESSAGES",
      "PIN_MESSAGES",
      "BYPASS_SLOWMODE",
      "SEND_TTS_MESSAGES",
    ],
  ],
  ["apps", ["USE_APPLICATION_COMMANDS", "USE_EXTERNAL_APPS"]],
  // What these permit does not exist here; bots and other clients may set them.
  [
    "unused",
    [
      "SEND_MESSAGES_IN_THREADS",
      "CREATE_PUBLIC_THREADS",
      "CREATE_PRIVATE_THREADS",
      "MANAGE_THREADS",
      "SEND_POLLS",
      "SEND_VOICE_MESSAGES",
      "USE_EXTERNAL_STICKERS",
      "CREATE_GUILD_EXPRESSIONS",
      "MANAGE_GUILD_EXPRESSIONS",
      "CREATE_EVENTS",
      "MANAGE_EVENTS",
      "USE_EMBEDDED_ACTIVITIES",
      "CONNECT",
      "SPEAK",
      "STREAM",
      "USE_VAD",
      "PRIORITY_SPEAKER",
      "USE_SOUNDBOARD",
      "USE_EXTERNAL_SOUNDS",
      "REQUEST_TO_SPEAK",
      "MUTE_MEMBERS",
      "DEAFEN_MEMBERS",
      "MOVE_MEMBERS",
      "SET_VOICE_CHANNEL_STATUS",
      "VIEW_GUILD_INSIGHTS",
      "VIEW_CREATOR_MONETIZATION_ANALYTICS",
    ],
  ],
];

/** The names in the order of their bits; bit 47 has no meaning. */
const NAMES = [
  ..."CREATE_INSTANT_INVITE KICK_MEMBERS BAN_MEMBERS ADMINISTRATOR MANAGE_CHANNELS".split(" "),
  ..."MANAGE_GUILD ADD_REACTIONS VIEW_AUDIT_LOG PRIORITY_SPEAKER STREAM VIEW_CHANNEL".split(" "),
  ..."SEND_MESSAGES SEND_TTS_MESSAGES MANAGE_MESSAGES EMBED_LINKS ATTACH_FILES".split(" "),
  ..."READ_MESSAGE_HISTORY MENTION_EVERYONE USE_EXTERNAL_EMOJIS VIEW_GUILD_INSIGHTS".split(" "),
  ..."CONNECT SPEAK MUTE_MEMBERS DEAFEN_MEMBERS MOVE_MEMBERS USE_VAD CHANGE_NICKNAME".split(" "),
  ..."MANAGE_NICKNAMES MANAGE_ROLES MANAGE_WEBHOOKS MANAGE_GUILD_EXPRESSIONS".split(" "),
  ..."USE_APPLICATION_COMMANDS REQUEST_TO_SPEAK MANAGE_EVENTS MANAGE_THREADS".split(" "),
  ..."CREATE_PUBLIC_THREADS CREATE_PRIVATE_THREADS USE_EXTERNAL_STICKERS".split(" "),
  ..."SEND_MESSAGES_IN_THREADS USE_EMBEDDED_ACTIVITIES MODERATE_MEMBERS".split(" "),
  ..."VIEW_CREATOR_MONETIZATION_ANALYTICS USE_SOUNDBOARD CREATE_GUILD_EXPRESSIONS".split(" "),
  ..."CREATE_EVENTS USE_EXTERNAL_SOUNDS SEND_VOICE_MESSAGES".split(" "),
  "",
  ..."SET_VOICE_CHANNEL_STATUS SEND_POLLS USE_EXTERNAL_APPS PIN_MESSAGES BYPASS_SLOWMODE".split(" "),
];

/** The bits by their names. @type {Record<string, bigint>} */
export const BITS = Object.fromEntries(
  NAMES.map((name, bit) => [name, 1n << BigInt(bit)]).filter(([name]) => name !== ""),
);

/** Permissions of the guild as a whole: overwrites of channels do not affect them. */
export const OF_GUILDS = new Set([
  ..."KICK_MEMBERS BAN_MEMBERS ADMINISTRATOR MANAGE_GUILD VIEW_AUDIT_LOG".split(" "),
  ..."VIEW_GUILD_INSIGHTS CHANGE_NICKNAME MANAGE_NICKNAMES MANAGE_GUILD_EXPRESSIONS".split(" "),
  ..."MODERATE_MEMBERS VIEW_CREATOR_MONETIZATION_ANALYTICS CREATE_GUILD_EXPRESSIONS".split(" "),
]);

/** Return the id of the text of a permission. @param {string} name */
export const textId = (name) => `permission-${name.toLowerCase().replaceAll("_", "-")}`;

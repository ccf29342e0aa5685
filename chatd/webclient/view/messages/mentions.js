/** Mentions in texts: users, roles and channels by their names. */

import {useRef} from "../../vendor/hooks.js";
import {signal, useComputed} from "../../vendor/signals.js";
import {channelOf, guildOfChannel, titleOf} from "../../state/select.js";
import {state} from "../../state/store.js";
import {html} from "../html.js";
import {follow, pathOf} from "../route.js";
import {useSelect} from "../use.js";

/** @typedef {import("../../state/shape.js").State} State */

/** Users that the page remembers from messages; more than it shows at once. */
const MAX_MET = 20_000;
/** Authors of messages and users in mentions, by id. It is another map when there are others. @type {Map<string, any>} */
let met = new Map();
/** Messages, and lists of messages, whose users are in `met`. @type {WeakSet<any>} */
const seen = new WeakSet();

/** Note the users of messages that were not there before. @param {State["timelines"]} timelines */
function meet(timelines) {
  const lists = Object.values(timelines).map((each) => each.messages);
  const messages = lists.filter((each) => !seen.has(each)).flat();
  const users = messages.filter((each) => !seen.has(each)).flatMap((each) => [...each.mentions, each.author]);
  for (const each of [...lists, ...messages]) seen.add(each);
  const others = users.filter(({id, username, global_name: display}) => {
    const before = met.get(id);
    return before?.username !== username || before.global_name !== display;
  });
  if (others.length === 0) return;
  met = new Map([...met, ...others.map((each) => /** @type {const} */ ([each.id, each]))].slice(-MAX_MET));
}

/**
 * What names depend on. A page can have thousands of mentions: most events change nothing of this, and
 * so reach none of them.
 */
const people = signal({me: state.peek().me, guilds: state.peek().guilds, privates: state.peek().privates, met});

state.subscribe(({me, guilds, privates, timelines}) => {
  meet(timelines);
  const before = people.peek();
  const isSame = before.me === me && before.guilds === guilds && before.privates === privates && before.met === met;
  if (!isSame) people.value = {me, guilds, privates, met};
});

/** @param {{id: string, guild?: string}} properties */
export function UserMention({id, guild}) {
  const latest = useRef({id, guild});
  latest.current = {id, guild};
  const name = () => userName(people.value, latest.current.id, latest.current.guild);
  void useComputed(name).value;
  return html`<span class="mention" data-me=${people.peek().me?.id === id}>@${name()}</span>`;
}

/** @param {{id: string}} properties */
export function RoleMention({id}) {
  const name = useSelect((state) => roleName(state, id));
  return html`<span class="mention">@${name}</span>`;
}

/** @param {{id: string}} properties */
export function ChannelMention({id}) {
  const guild = useSelect((state) => guildOfChannel(state, id)?.id);
  const name = useSelect((state) => {
    const channel = channelOf(state, id);
    return channel ? titleOf(state, channel) : id;
  });
  if (guild === undefined) return html`<span class="mention">#${name}</span>`;
  return html`<a class="mention" href=${pathOf(guild, id)} onClick=${follow}>#${name}</a>`;
}

/**
 * Return the name of a user that the page has met: as a member, in a direct message, as an author, or
 * in a mention.
 * @param {Pick<State, "me" | "guilds" | "privates">} present @param {string} id @param {string | undefined} guild
 */
export function userName({me, guilds, privates}, id, guild) {
  const own = guild === undefined ? undefined : guilds[guild]?.members[id];
  const user = me?.id === id ? me : (own?.user ?? knownUser(guilds, privates, id));
  return user ? own?.nick || user.global_name || user.username : id;
}

/** @param {State} state @param {string} id @returns {string} */
export const roleName = (state, id) =>
  Object.values(state.guilds).find((each) => id in each.roles)?.roles[id].name ?? id;

/** @param {State["guilds"]} guilds @param {State["privates"]} privates @param {string} id */
function knownUser(guilds, privates, id) {
  for (const guild of Object.values(guilds)) {
    if (guild.members[id]) return guild.members[id].user;
  }
  for (const channel of Object.values(privates)) {
    const user = channel.recipients?.find((/** @type {any} */ each) => each.id === id);
    if (user) return user;
  }
  return met.get(id);
}

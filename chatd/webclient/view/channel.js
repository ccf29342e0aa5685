/** One channel: its title, messages, and the field to write in. */

import {useEffect, useState} from "../vendor/hooks.js";
import {t} from "../lang/translate.js";
import {SEND_MESSAGES} from "../state/permissions.js";
import {channelOf, guildOfChannel, may, nameOf, titleOf} from "../state/select.js";
import {Composer} from "./composer.js";
import {html} from "./html.js";
import {IconButton} from "./icons.js";
import {MemberList} from "./member_list.js";
import {Timeline} from "./timeline.js";
import {useSelect} from "./use.js";

/** Names in "… are typing"; with more of them only their number matters. */
const MAX_TYPING = 3;

/** @param {{id: string}} properties */
export function Channel({id}) {
  const channel = useSelect((state) => channelOf(state, id));
  const title = useSelect((state) => (channel ? titleOf(state, channel) : ""));
  const guild = useSelect((state) => guildOfChannel(state, id)?.id);
  const mayWrite = useSelect((state) => may(state, id, SEND_MESSAGES));
  const [reply, setReply] = useState(/** @type {any} */ (null));
  const [hasMembers, setMembers] = useState(matchMedia("(min-width: 70rem)").matches);
  if (channel === undefined) return html`<main class="empty"><p>${t("choose-channel")}</p></main>`;
  const name = guild ? `#${title}` : title;
  return html`<main class="channel-view" aria-label=${name}>
      <header>
        <h1>${name}</h1>
        ${channel.topic && html`<p class="topic">${channel.topic}</p>`}
        ${guild &&
        html`<${IconButton}
          icon="members"
          label=${t("members")}
          isExpanded=${hasMembers}
          onClick=${() => setMembers(!hasMembers)}
        />`}
      </header>
      <${Timeline} key=${id} id=${id} name=${name} onReply=${setReply} />
      ${mayWrite
        ? html`<${Composer} key=${id} id=${id} name=${name} reply=${reply} onReply=${setReply} />`
        : html`<p class="muted">${t("cannot-write")}</p>`}
      <${Typing} id=${id} guild=${guild} />
    </main>
    ${guild && hasMembers && html`<${MemberList} key=${guild} guild=${guild} channel=${id} />`}`;
}

/** @param {{id: string, guild?: string}} properties */
function Typing({id, guild}) {
  const typing = useSelect((state) => state.typing[id]);
  const [now, setNow] = useState(Date.now());
  const until = Object.values(typing ?? {});
  useEffect(() => {
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [typing]);
  const present = Object.entries(typing ?? {}).filter(([, each]) => each > now);
  const names = useSelect((state) =>
    present
      .map(([user]) => {
        const known =
          (guild && state.guilds[guild]?.members[user]?.user) ??
          state.privates[id]?.recipients?.find((/** @type {any} */ each) => each.id === user) ??
          state.timelines[id]?.messages.find((each) => each.author.id === user)?.author;
        return known ? nameOf(state, known, guild) : "";
      })
      .filter(Boolean)
      .join(", "),
  );
  const count = present.length;
  const text =
    until.length === 0 || count === 0 || names === ""
      ? ""
      : count > MAX_TYPING
        ? t("typing-many")
        : t("typing", {count, names});
  return html`<p class="typing" aria-live="polite">${text}</p>`;
}

/** One channel: its title, messages, and the field to write in. */

import {useEffect, useMemo, useState} from "../vendor/hooks.js";
import {t} from "../lang/translate.js";
import {now} from "../state/clock.js";
import {SEND_MESSAGES} from "../state/permissions.js";
import {channelOf, guildOfChannel, may, nameOf, titleOf} from "../state/select.js";
import {html} from "./html.js";
import {lazy} from "./lazy.js";
import {MemberList} from "./member_list.js";
import {ChannelHeader} from "./messages/channel_header.js";
import {Composer} from "./messages/composer.js";
import {shown} from "./messages/lightbox_state.js";
import {Opened} from "./messages/opened.js";
import {Timeline} from "./messages/timeline.js";
import {announcement, editing, opened, panel, replying} from "./messages/ui.js";
import {go, pathOf, route} from "./route.js";
import {useSelect} from "./use.js";

const Search = lazy(() => import("./messages/search.js"), "Search");
const Pins = lazy(() => import("./messages/pins.js"), "Pins");
const Lightbox = lazy(() => import("./messages/lightbox.js"), "Lightbox");

/** Names in "… are typing"; with more of them only their number matters. */
const MAX_TYPING = 3;

/** @param {{id: string}} properties */
export function Channel({id}) {
  const channel = useSelect((state) => channelOf(state, id));
  const title = useSelect((state) => (channel ? titleOf(state, channel) : ""));
  const guild = useSelect((state) => guildOfChannel(state, id)?.id);
  const mayWrite = useSelect((state) => may(state, id, SEND_MESSAGES));
  const [hasMembers, setMembers] = useState(matchMedia("(min-width: 70rem)").matches);
  const closeMembers = useMemo(() => () => setMembers(false), []);
  const here = route.value;
  const target = useMemo(() => ({message: "message" in here ? here.message : null}), [here]);
  useEffect(() => {
    const forget = () => {
      replying.value = null;
      editing.value = null;
      opened.value = null;
      shown.value = null;
    };
    return forget;
  }, [id]);
  if (channel === undefined) return html`<main id="main" class="empty"><p>${t("choose-channel")}</p></main>`;
  const name = guild ? `#${title}` : title;
  const toPresent = () => {
    if (target.message !== null) go(pathOf(guild ?? null, id), {replace: true});
  };
  return html`<main id="main" class="channel-view" aria-label=${name}>
      <${ChannelHeader}
        id=${id}
        name=${name}
        topic=${channel.topic}
        guild=${guild}
        hasMembers=${hasMembers}
        onMembers=${() => {
          setMembers(panel.value !== null || !hasMembers);
          panel.value = null;
        }}
      />
      <${Timeline} key=${id} id=${id} name=${name} guild=${guild} target=${target} onPresent=${toPresent} />
      ${mayWrite
        ? html`<${Composer} key=${id} id=${id} name=${name} />`
        : html`<p class="muted">${t("cannot-write")}</p>`}
      <${Typing} id=${id} guild=${guild} />
      <${Opened} />
      ${shown.value && html`<${Lightbox} ...${shown.value} />`}
      <p class="sr-only" role="status">${announcement.value}</p>
    </main>
    ${panel.value === "search" && html`<${Search} key=${id} id=${id} guild=${guild} />`}
    ${panel.value === "pins" && html`<${Pins} key=${id} id=${id} guild=${guild} />`}
    ${panel.value === null && guild && hasMembers && html`<${MemberList} key=${guild} guild=${guild} channel=${id} onClose=${closeMembers} />`}`;
}
/** @param {{id: string, guild?: string}} properties */
function Typing({id, guild}) {
  const typing = useSelect((state) => state.typing[id]);
  const [present, setPresent] = useState(now);
  const until = Object.values(typing ?? {});
  useEffect(() => {
    setPresent(now());
    const timer = setInterval(() => setPresent(now()), 1000);
    return () => clearInterval(timer);
  }, [typing]);
  const active = Object.entries(typing ?? {}).filter(([, each]) => each > present);
  const names = useSelect((state) =>
    active
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
  const count = active.length;
  const text =
    until.length === 0 || count === 0 || names === ""
      ? ""
      : count > MAX_TYPING
        ? t("typing-many")
        : t("typing", {count, names});
  return html`<p class="typing" aria-live="polite">${text}</p>`;
}

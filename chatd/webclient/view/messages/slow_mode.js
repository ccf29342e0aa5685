/** Slow mode: how long the user has to wait until the next message. */

import {useEffect, useState} from "../../vendor/hooks.js";
import {now} from "../../state/clock.js";
import {BYPASS_SLOWMODE} from "../../state/permissions.js";
import {channelOf, may} from "../../state/select.js";
import {useSelect} from "../use.js";

/**
 * Return the seconds between messages, and those that are left.
 * @param {string} id
 */
export function useSlowMode(id) {
  const every = useSelect((state) =>
    may(state, id, BYPASS_SLOWMODE) ? 0 : (channelOf(state, id)?.rate_limit_per_user ?? 0),
  );
  const last = useSelect((state) =>
    every === 0 ? undefined : state.timelines[id]?.messages.findLast((each) => each.author.id === state.me?.id)?.timestamp,
  );
  const [present, setPresent] = useState(now);
  const until = last === undefined ? 0 : Date.parse(last) + every * 1000;
  const left = Math.min(every, Math.max(0, Math.ceil((until - present) / 1000)));
  useEffect(() => {
    setPresent(now());
    if (until <= now()) return;
    const timer = setInterval(() => setPresent(now()), 500);
    return () => clearInterval(timer);
  }, [until]);
  return {every, left};
}

/** The pinned messages of a channel. */

import {useEffect, useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {setPinned} from "../../net/messages.js";
import {listeners, rest} from "../../net/session.js";
import {PIN_MESSAGES} from "../../state/permissions.js";
import {may} from "../../state/select.js";
import {reason} from "../../net/reasons.js";
import {html} from "../html.js";
import {useSelect} from "../use.js";
import {Found, Panel, useMessageEvents} from "./panel.js";

const PAGE = 25;

/** @param {{id: string, guild?: string}} properties */
export function Pins({id}) {
  const [pins, setPins] = useState(/** @type {any[] | null} */ (null));
  const [hasMore, setMore] = useState(false);
  const [error, setError] = useState("");
  const mayPin = useSelect((state) => may(state, id, PIN_MESSAGES));

  const load = async (/** @type {any[]} */ before) => {
    setError("");
    try {
      const page = await rest.get(`/channels/${id}/messages/pins`, {
        limit: PAGE,
        before: before.at(-1)?.pinned_at,
      });
      setPins([...before, ...page.items]);
      setMore(page.has_more);
    } catch (failure) {
      setError(reason(failure));
    }
  };
  useEffect(() => {
    load([]);
    const listen = (/** @type {string} */ name, /** @type {any} */ data) => {
      if (name === "CHANNEL_PINS_UPDATE" && data.channel_id === id) load([]);
    };
    listeners.add(listen);
    return () => listeners.delete(listen);
  }, [id]);
  useMessageEvents((change) =>
    setPins((present) => present && present.flatMap((pin) => change([pin.message]).map((message) => ({...pin, message})))),
  );
  const unpin = async (/** @type {any} */ message) => {
    setError("");
    try {
      await setPinned(message, false);
      setPins((present) => (present ?? []).filter((each) => each.message.id !== message.id));
    } catch (failure) {
      setError(reason(failure));
    }
  };
  return html`<${Panel} label=${t("pins")}>
    <div class="panel-body">
      ${error &&
      html`<p class="error" role="alert">
        ${error} <button type="button" onClick=${() => load([])}>${t("retry")}</button>
      </p>`}
      ${pins === null && !error && html`<p class="muted" role="status">${t("loading")}</p>`}
      ${pins?.length === 0 && html`<p class="muted">${t("no-pins")}</p>`}
      <ol>
        ${pins?.map(
          ({message}) => html`<${Found} key=${message.id} message=${message}>
            ${mayPin && html`<button type="button" onClick=${() => unpin(message)}>${t("unpin")}</button>`}
          <//>`,
        )}
      </ol>
      ${hasMore && html`<button type="button" onClick=${() => load(pins ?? [])}>${t("show-more")}</button>`}
    </div>
  <//>`;
}

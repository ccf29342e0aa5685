/** Search of messages, in a guild or a private channel. */

import {useRef, useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {rest} from "../../net/session.js";
import {sections} from "../../state/select.js";
import {reason} from "../../net/reasons.js";
import {html} from "../html.js";
import {useSelect} from "../use.js";
import {Found, Panel, useMessageEvents} from "./panel.js";
import {UserField} from "./user_field.js";

const PAGE = 25;
/** The server serves results up to this one. */
const MAX_OFFSET = 9975;
const KINDS = ["link", "embed", "file", "image", "video", "sound"];
/** The first millisecond of ids. Rule: Discord docs, Snowflakes. */
const EPOCH_MS = 1_420_070_400_000;

/** @param {{id: string, guild?: string}} properties */
export function Search({id, guild}) {
  const [found, setFound] = useState(/** @type {any} */ (null));
  const [error, setError] = useState("");
  const [isBusy, setBusy] = useState(false);
  const form = useRef(/** @type {any} */ (null));
  const last = useRef(/** @type {[string, string][]} */ ([]));
  const running = useRef(0);

  const run = async (/** @type {[string, string][]} */ query, /** @type {any[]} */ before) => {
    running.current += 1;
    const own = running.current;
    last.current = query;
    setBusy(true);
    setError("");
    const place = guild ? `/guilds/${guild}` : `/channels/${id}`;
    const parameters = new URLSearchParams([...query, ["limit", `${PAGE}`], ["offset", `${before.length}`]]);
    try {
      const answer = await rest.get(`${place}/messages/search?${parameters}`);
      if (own !== running.current) return; // another search has begun
      const messages = [...before, ...answer.messages.map((/** @type {any[]} */ each) => each.find((one) => one.hit) ?? each[0])];
      setFound({messages, total: answer.total_results, isPartial: answer.doing_deep_historical_index});
    } catch (failure) {
      if (own === running.current) setError(reason(failure));
    } finally {
      if (own === running.current) setBusy(false);
    }
  };
  useMessageEvents((change) =>
    setFound((/** @type {any} */ present) => {
      if (present === null) return null;
      const messages = change(present.messages);
      return {...present, messages, total: present.total - (present.messages.length - messages.length)};
    }),
  );
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const query = queryOf(new FormData(form.current));
    if (query.length === 0) return setError(t("search-empty"));
    run(query, []);
  };
  const offset = found?.messages.length ?? 0;
  return html`<${Panel} label=${t("search")}>
    <form class="search" role="search" ref=${form} onSubmit=${submit}>
      <input type="search" name="content" aria-label=${t("search-text")} placeholder=${t("search-text")} maxlength="1024" />
      <${Filters} id=${id} guild=${guild} />
      <div class="actions"><button class="primary" disabled=${isBusy}>${t("search")}</button></div>
    </form>
    <div class="panel-body">
      ${error &&
      html`<p class="error" role="alert">
        ${error}
        ${last.current.length > 0 && html` <button type="button" onClick=${() => run(last.current, [])}>${t("retry")}</button>`}
      </p>`}
      <p class="muted" role="status">
        ${isBusy ? t("searching") : found && t("search-count", {count: found.total})}
        ${!isBusy && found?.isPartial && ` ${t("search-partial")}`}
      </p>
      <ol>
        ${found?.messages.map((/** @type {any} */ message) => html`<${Found} key=${message.id} message=${message} hasChannel=${Boolean(guild)} />`)}
      </ol>
      ${found &&
      offset < found.total &&
      offset <= MAX_OFFSET &&
      html`<button type="button" disabled=${isBusy} onClick=${() => run(last.current, found.messages)}>${t("show-more")}</button>`}
    </div>
  <//>`;
}

/** @param {{id: string, guild?: string}} properties */
function Filters({id, guild}) {
  const whole = useSelect((state) => (guild === undefined ? undefined : state.guilds[guild]));
  const channels = whole ? sections(whole).flatMap((each) => each.channels) : [];
  return html`<details class="filters">
    <summary>${t("search-filters")}</summary>
    <${UserField} name="author_id" label=${t("search-from")} channel=${id} guild=${guild} />
    <${UserField} name="mentions" label=${t("search-mentions")} channel=${id} guild=${guild} />
    ${guild &&
    html`<label class="field"
      >${t("search-in")}
      <select name="channel_id">
        <option value="">${t("search-everywhere")}</option>
        ${channels.map((each) => html`<option key=${each.id} value=${each.id}>#${each.name}</option>`)}
      </select>
    </label>`}
    <fieldset class="kinds">
      <legend>${t("search-has")}</legend>
      ${KINDS.map(
        (kind) => html`<label key=${kind}><input type="checkbox" name="has" value=${kind} /> ${t(`search-has-${kind}`)}</label>`,
      )}
      <label><input type="checkbox" name="pinned" value="true" /> ${t("pinned")}</label>
    </fieldset>
    <div class="dates">
      <label class="field">${t("search-after")} <input type="date" name="after" /></label>
      <label class="field">${t("search-before")} <input type="date" name="before" /></label>
    </div>
    <label class="field"
      >${t("search-order")}
      <select name="sort_order">
        <option value="desc">${t("search-newest")}</option>
        <option value="asc">${t("search-oldest")}</option>
      </select>
    </label>
  </details>`;
}

/**
 * Return the parameters of a search; none if nothing was asked for.
 * @param {FormData} form
 * @returns {[string, string][]}
 */
function queryOf(form) {
  /** @type {[string, string][]} */
  const query = [];
  for (const [name, value] of form.entries()) {
    const text = String(value).trim();
    if (text === "" || name === "sort_order") continue;
    // "After a day" is from its next midnight on, "before a day" until the midnight it begins with.
    if (name === "after") query.push(["min_id", idOf(text, 1)]);
    else if (name === "before") query.push(["max_id", idOf(text, 0)]);
    else query.push([name, text]);
  }
  return query.length === 0 ? [] : [...query, ["sort_order", String(form.get("sort_order") ?? "desc")]];
}

/** Return the id of the midnight at which a day begins, in the reader's time zone. @param {string} day @param {number} later in days */
function idOf(day, later) {
  const [year, month, date] = day.split("-").map(Number);
  const moment = new Date(year, month - 1, date + later).getTime();
  return String(BigInt(Math.max(0, moment - EPOCH_MS)) << 22n);
}

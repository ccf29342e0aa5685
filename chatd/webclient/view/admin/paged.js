/** A list that is searched, and loaded page by page. */

import {useEffect, useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {PAGE_SIZE} from "../../net/admin_actions.js";
import {reason} from "../../net/reasons.js";
import {html} from "../html.js";

/** Pause after a key before a search, in milliseconds. */
const TYPING_MS = 300;

/**
 * Load pages of a list. A change of `terms` starts again.
 * @param {(page: any) => Promise<any[]>} load
 * @param {Record<string, string>} terms
 */
export function usePages(load, terms) {
  const [found, setFound] = useState(/** @type {{items: any[], isComplete: boolean} | null} */ (null));
  const [error, setError] = useState("");
  const [turn, setTurn] = useState(0);
  const key = JSON.stringify(terms);
  useEffect(() => {
    let isLatest = true;
    const timer = setTimeout(async () => {
      try {
        const items = await load({...terms, after: "0"});
        if (!isLatest) return; // the terms have changed in between
        setFound({items, isComplete: items.length < PAGE_SIZE});
        setError("");
      } catch (failure) {
        if (isLatest) setError(reason(failure));
      }
    }, terms.query === "" ? 0 : TYPING_MS);
    return () => {
      isLatest = false;
      clearTimeout(timer);
    };
  }, [key, turn]);
  const more = async () => {
    const items = found?.items ?? [];
    try {
      const next = await load({...terms, after: items.at(-1)?.id ?? "0"});
      setFound({items: [...items, ...next], isComplete: next.length < PAGE_SIZE});
    } catch (failure) {
      setError(reason(failure));
    }
  };
  const footer = html`<p class="error" role="alert">${error}</p>
    ${found === null && !error && html`<p role="status">${t("loading")}</p>`}
    ${found?.items.length === 0 && html`<p class="muted" role="status">${t("nothing-found")}</p>`}
    ${found !== null &&
    !found.isComplete &&
    html`<button type="button" onClick=${more}>${t("load-more")}</button>`}`;
  return {items: found?.items ?? [], footer, again: () => setTurn((last) => last + 1)};
}

/** @param {{value: string, onChange: (text: string) => void}} properties */
export const Search = ({value, onChange}) => html`<label class="field"
  ><span class="label">${t("search-names")}</span>
  <input
    type="search"
    maxlength="100"
    value=${value}
    onInput=${(/** @type {any} */ event) => onChange(event.target.value)}
  />
</label>`;

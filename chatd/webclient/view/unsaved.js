/** Forms with changes that are not saved: the user is asked before one is left. */

import {useEffect, useLayoutEffect, useRef, useState} from "../vendor/hooks.js";
import {signal} from "../vendor/signals.js";
import {t} from "../lang/translate.js";
import {Window} from "./dialog.js";
import {html} from "./html.js";

/** @type {Set<Element>} */
const changed = new Set();

/** @type {import("../vendor/signals.js").Signal<{go: () => void, stay: () => void} | null>} */
const asking = signal(null);

addEventListener("beforeunload", (event) => {
  if (changed.size > 0) event.preventDefault();
});

/** Return whether an element has changes that are not saved. */
export const isUnsaved = (/** @type {Element} */ within = document.documentElement) =>
  [...changed].some((each) => within.contains(each));

/**
 * Leave what is in an element, at once or when the user agrees to lose the changes there.
 * @param {() => void} go @param {Element} [within] @param {() => void} [stay] for a user who does not agree
 */
export function leave(go, within = document.documentElement, stay = () => {}) {
  if (isUnsaved(within)) asking.value = {go, stay};
  else go();
}

/** Note whether an element has changes that are not saved. @param {{current: Element | null}} element @param {boolean} isChanged */
export function useUnsaved(element, isChanged) {
  // At once: the next key may be the one that leaves.
  useLayoutEffect(() => {
    const own = element.current;
    if (!isChanged || own === null) return undefined;
    changed.add(own);
    return () => void changed.delete(own);
  }, [isChanged]);
}

/**
 * Watch the fields of a form. Passwords do not count: browsers fill them in.
 * @param {{current: HTMLFormElement | null}} form
 * @param {boolean} isMore Something else of the form is changed.
 * @param {boolean} isGuarded Whether its changes count.
 */
export function useUnsavedForm(form, isMore, isGuarded = true) {
  const [isTyped, setTyped] = useState(false);
  const saved = useRef("");
  const typed = () => {
    const values = [.../** @type {any} */ (new FormData(form.current ?? undefined))];
    return JSON.stringify(values.filter(([name]) => /** @type {any} */ (form.current?.elements.namedItem(name))?.type !== "password"));
  };
  const onSaved = () => {
    saved.current = typed();
    setTyped(false);
  };
  useEffect(onSaved, []);
  useUnsaved(form, isGuarded && (isTyped || isMore));
  return {onTyped: () => setTyped(typed() !== saved.current), onSaved};
}

/** The question before changes are lost. */
export function Unsaved() {
  const question = asking.value;
  if (question === null) return null;
  const answer = (/** @type {() => void} */ act) => () => {
    asking.value = null;
    act();
  };
  return html`<${Window} title=${t("unsaved")} onClose=${answer(question.stay)}>
    <p class="question">${t("unsaved-changes")}</p>
    <div class="actions">
      <button type="button" class="danger" onClick=${answer(question.go)}>${t("discard")}</button>
      <button type="button" class="primary" onClick=${answer(question.stay)}>${t("keep-editing")}</button>
    </div>
  <//>`;
}

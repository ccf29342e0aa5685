/** Texts in the user's language. The strings are in the Fluent files beside this one. */

import {FluentBundle, FluentResource} from "../vendor/fluent/index.js";
import {signal} from "../vendor/signals.js";

export const LANGUAGES = {en: "English", de: "Deutsch"};
const KEY = "chatd.language";

/** @type {import("../vendor/signals.js").Signal<FluentBundle | null>} */
const bundle = signal(null);

/** Load the strings of the language that was chosen, or of the browser. */
export async function loadLanguage() {
  await useLanguage(stored() ?? preferred());
}

/** @param {string} language */
export async function useLanguage(language) {
  const texts = await Promise.all(
    [...new Set(["en", language])].map(async (each) => {
      const response = await fetch(new URL(`${each}.ftl`, import.meta.url));
      return response.text();
    }),
  );
  const next = new FluentBundle(language, {useIsolating: false});
  // A string that a translation lacks stays English.
  for (const text of texts) next.addResource(new FluentResource(text), {allowOverrides: true});
  document.documentElement.lang = language;
  bundle.value = next;
}

/** @param {string} language */
export function chooseLanguage(language) {
  try {
    localStorage.setItem(KEY, language);
  } catch {
    // The choice lasts as long as this page.
  }
  return useLanguage(language);
}

/** The language of the page. */
export const language = () => bundle.value?.locales[0] ?? "en";

/**
 * Return a text. An id without a text is returned itself, so that it is noticed.
 * @param {string} id
 * @param {Record<string, any>} [args]
 * @returns {string}
 */
export function t(id, args) {
  const message = bundle.value?.getMessage(id);
  if (!message?.value) return id;
  return bundle.value?.formatPattern(message.value, args) ?? id;
}

function stored() {
  try {
    const language = localStorage.getItem(KEY);
    return language !== null && language in LANGUAGES ? language : null;
  } catch {
    return null;
  }
}

function preferred() {
  const known = navigator.languages.map((each) => each.slice(0, 2)).find((each) => each in LANGUAGES);
  return known ?? "en";
}

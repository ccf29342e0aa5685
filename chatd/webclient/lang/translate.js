/** Texts in the user's language. The strings are in the Fluent files beside this one. */

import {FluentBundle, FluentResource} from "../vendor/fluent/index.js";
import {signal} from "../vendor/signals.js";

export const LANGUAGES = {en: "English", de: "Deutsch"};
const KEY = "chatd.language";
/** Pauses before the attempts to load strings again, in milliseconds. */
const PAUSES_MS = [500, 1500, 4000];

/** @type {import("../vendor/signals.js").Signal<FluentBundle | null>} */
const bundle = signal(null);

/** Load the strings of the language that was chosen, or of the browser. */
export async function loadLanguage() {
  await useLanguage(stored() ?? preferred());
}

/** @param {string} language */
export async function useLanguage(language) {
  const texts = await Promise.all(
    [...new Set(["en", language])].map((each) => loaded(new URL(`${each}.ftl`, import.meta.url))),
  );
  const next = new FluentBundle(language, {useIsolating: false});
  // A string that a translation lacks stays English.
  for (const text of texts) next.addResource(new FluentResource(text), {allowOverrides: true});
  document.documentElement.lang = language;
  bundle.value = next;
}

/** Load the strings of a language, also from a server that is away for a moment. @param {URL} address */
async function loaded(address) {
  for (let attempt = 0; ; attempt++) {
    const response = await fetch(address).catch(() => null);
    if (response?.ok) return response.text();
    if (attempt === PAUSES_MS.length) throw new Error(`${address} cannot be loaded`);
    await new Promise((resolve) => setTimeout(resolve, PAUSES_MS[attempt]));
  }
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

/** The language of the page as the user's country writes it, for dates and numbers. */
export function locale() {
  const present = language();
  return navigator.languages.find((each) => each === present || each.startsWith(`${present}-`)) ?? present;
}

/**
 * Return a text. An id without a text is returned itself, so that it is noticed.
 * @param {string} id
 * @param {Record<string, any>} [args]
 * @returns {string}
 */
export function t(id, args) {
  const message = bundle.value?.getMessage(id);
  if (!message?.value) return id;
  // With a list of errors, a value that is missing leaves its name in the text; without it, that throws.
  return bundle.value?.formatPattern(message.value, args, []) ?? id;
}

function stored() {
  try {
    const language = localStorage.getItem(KEY);
    return language !== null && Object.hasOwn(LANGUAGES, language) ? language : null;
  } catch {
    return null;
  }
}

function preferred() {
  const known = navigator.languages.map((each) => each.slice(0, 2)).find((each) => Object.hasOwn(LANGUAGES, each));
  return known ?? "en";
}

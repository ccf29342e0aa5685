/** Finds the parts of code: keywords, strings, comments and so on. */

import {tokenizer} from "../../vendor/highlight/tokenize.js";

/** @param {string} language */
const loaded = async (language) => {
  const module = await import(`../../vendor/highlight/languages/${language}.js`);
  return module.default;
};

self.onmessage = async ({data: {id, code, language}}) => {
  /** @type {[string, string][]} */
  const parts = [];
  try {
    const steps = tokenizer(code, language, (/** @type {string} */ text, /** @type {string | undefined} */ kind) => {
      if (text !== "") parts.push([text, kind ?? ""]);
    });
    let step = steps.next();
    while (!step.done) step = steps.next(await loaded(step.value));
    self.postMessage({id, parts});
  } catch {
    self.postMessage({id, parts: null}); // a language that is not here, within another one
  }
};

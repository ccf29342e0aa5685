/**
 * Blocks of code. The highlighter runs in a worker, so that a text which takes it long cannot stop the
 * page; without an answer the code stays plain.
 */

import {useEffect, useState} from "../../vendor/hooks.js";
import {t} from "../../lang/translate.js";
import {html} from "../html.js";

/** Names of languages in messages, and those of the highlighter. @type {Record<string, string>} */
const LANGUAGES = {
  ...{c: "c", "c++": "c", cpp: "c", h: "c", cs: "java", csharp: "java", java: "java", kotlin: "java", kt: "java"},
  ...{js: "js", javascript: "js", jsx: "js", mjs: "js", ts: "ts", typescript: "ts", tsx: "ts", json: "json"},
  ...{py: "py", python: "py", rs: "rs", rust: "rs", go: "go", golang: "go", lua: "lua", pl: "pl", perl: "pl"},
  ...{sh: "bash", bash: "bash", shell: "bash", zsh: "bash", console: "bash", asm: "asm", make: "make"},
  ...{makefile: "make", docker: "docker", dockerfile: "docker", css: "css", scss: "css", html: "html"},
  ...{xml: "xml", svg: "xml", sql: "sql", yaml: "yaml", yml: "yaml", toml: "toml", ini: "ini", csv: "csv"},
  ...{diff: "diff", patch: "diff", md: "md", markdown: "md", http: "http", git: "git", regex: "regex"},
};
const TIMEOUT_MS = 1000;

/** @type {Worker | null} */
let worker = null;
/** @type {Map<number, (parts: [string, string][] | null) => void>} */
const waiting = new Map();
let last = 0;

/** @param {{language: string, code: string}} properties */
export function CodeBlock({language, code}) {
  const name = language.toLowerCase();
  const known = Object.hasOwn(LANGUAGES, name) ? LANGUAGES[name] : undefined;
  const [parts, setParts] = useState(/** @type {[string, string][] | null} */ (null));
  useEffect(() => {
    setParts(null);
    if (known === undefined) return;
    let isWanted = true;
    highlighted(code, known).then((found) => {
      if (isWanted) setParts(found);
    });
    return () => {
      isWanted = false;
    };
  }, [known, code]);
  // The text itself comes back from the worker; should it not be the same, the original counts.
  const isWhole = parts !== null && parts.map(([text]) => text).join("") === code;
  const shown = isWhole
    ? parts.map(([text, kind]) => (kind ? html`<span class=${`code-${kind}`}>${text}</span>` : text))
    : code;
  // The log takes the arrow keys only from messages; a long block scrolls by keys.
  return html`<pre data-language=${known ?? language} tabindex="0" role="region" aria-label=${t("code")}><code>${shown}</code></pre>`;
}

/** @param {string} code @param {string} language @returns {Promise<[string, string][] | null>} */
function highlighted(code, language) {
  worker ??= started();
  last += 1;
  const id = last;
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      worker?.terminate(); // and all that wait behind it stay plain
      worker = null;
      for (const answer of waiting.values()) answer(null);
      waiting.clear();
    }, TIMEOUT_MS);
    waiting.set(id, (parts) => {
      clearTimeout(timer);
      resolve(parts);
    });
    worker?.postMessage({id, code, language});
  });
}

function started() {
  const made = new Worker(new URL("./highlight_worker.js", import.meta.url), {type: "module"});
  made.onmessage = ({data: {id, parts}}) => {
    waiting.get(id)?.(parts);
    waiting.delete(id);
  };
  return made;
}

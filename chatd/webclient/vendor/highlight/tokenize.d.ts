/** What the client uses of the highlighter. */

/** Yields the name of each language that it needs, and takes its rules. */
export function tokenizer(
  code: string,
  language: string,
  add: (text: string, kind?: string) => void,
): Generator<string, void, unknown>;

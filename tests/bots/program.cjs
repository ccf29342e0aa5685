// What the JavaScript bots have in common: commands on their standard input, one answer each.
"use strict";
const readline = require("node:readline");

const complaints = [];
const complain = (text) => complaints.push(String(text));
process.on("warning", (warning) => complain(warning.stack));
process.on("unhandledRejection", (error) => complain(error?.stack ?? error));

// Complain about each field that the library has from the server, and that is undefined.
function watch(name, object, seen = new Set()) {
  if (seen.has(object)) return;
  seen.add(object);
  const entries = object instanceof Map ? object.entries() : Object.entries(object);
  for (const [key, value] of entries) {
    if (value === undefined) complain(`${name}.${key} is undefined`);
    else if (value !== null && typeof value === "object" && !["client", "guild"].includes(key)) {
      watch(`${name}.${key}`, value, seen);
    }
  }
}

// Answer [name, ...arguments] on each line of the input by the function of that name.
function serve(functions) {
  const lines = readline.createInterface({ input: process.stdin });
  const answer = async (line) => {
    const [name, ...given] = JSON.parse(line);
    try {
      const result = name === "complaints" ? complaints : await functions[name](...given);
      process.stdout.write(`${JSON.stringify({ result: result ?? null })}\n`);
    } catch (error) {
      process.stdout.write(`${JSON.stringify({ error: error.stack })}\n`);
    }
  };
  lines.on("line", answer);
  lines.on("close", () => process.exit(0));
}

module.exports = { complain, serve, watch };

// A program with discord.js-selfbot-v13. It logs in, waits until it is ready, and answers the commands
// on its standard input with one line of JSON each. Only the addresses of the library are changed.
"use strict";

const readline = require("node:readline");
const { createRequire } = require("node:module");
const path = require("node:path");

const load = createRequire(path.join(process.env.MODULES, "index.js"));
const undici = load("undici");
const connectTo = undici.Client; // the library makes one, for https://discord.com
undici.Client = function () {
  return new connectTo(process.env.ORIGIN);
};
const { Client } = load("discord.js-selfbot-v13");

const client = new Client({
  http: { api: `${process.env.ORIGIN}/api`, cdn: process.env.ORIGIN, version: 9 },
});
const complaints = [];
for (const name of ["warn", "error", "invalidated", "shardError"])
  client.on(name, (text) => complaints.push(`${name}: ${text}`));
process.on("unhandledRejection", (error) => complaints.push(`rejected: ${error.stack}`));
process.on("warning", (warning) => {
  if (warning.name !== "DeprecationWarning") complaints.push(`warning: ${warning.stack}`);
});
if (process.env.DEBUG_SELFBOT) client.on("debug", (text) => console.error(text));

function queue(...names) {
  const found = [], waiting = [];
  const put = (value) => (waiting.length ? waiting.shift()(value) : found.push(value));
  for (const name of names) client.on(name, (...values) => put(values));
  return () => (found.length ? Promise.resolve(found.shift()) : new Promise((ok) => waiting.push(ok)));
}

const ready = new Promise((ok) => client.once("ready", ok));
const messages = queue("messageCreate");
const typings = queue("typingStart");
const reactions = queue("messageReactionAdd");
const resumes = queue("shardResume");

const channel = (id) => client.channels.fetch(id);
const commands = {
  ready: async () => {
    await ready;
    const guilds = {};
    for (const guild of client.guilds.cache.values())
      guilds[guild.id] = [...guild.channels.cache.keys()];
    return {
      user: client.user.id,
      guilds,
      friends: [...client.relationships.friendCache.keys()],
      private: [...client.channels.cache.values()]
        .filter((each) => each.type === "DM")
        .map((each) => each.recipient.id),
    };
  },
  members: async (guild) => {
    const found = await client.guilds.cache.get(guild).members.fetch();
    return [...found.keys()].sort();
  },
  say: async (id, content) => (await (await channel(id)).send(content)).id,
  reply: async (id, message, content) => {
    const found = await (await channel(id)).messages.fetch(message);
    return (await found.reply(content)).type;
  },
  edit: async (id, message, content) => {
    const found = await (await channel(id)).messages.fetch(message);
    return (await found.edit(content)).content;
  },
  history: async (id) => [...(await (await channel(id)).messages.fetch({ limit: 3 })).values()].map((each) => each.content),
  next_message: async () => {
    const [message] = await messages();
    return [message.author.id, message.content];
  },
  type_in: async (id) => void (await (await channel(id)).sendTyping()),
  next_typing: async () => (await typings())[0].user.id,
  react_and_read: async (id, message) => {
    const found = await (await channel(id)).messages.fetch(message);
    await found.react("👍");
    await found.markRead();
    const [reaction, user] = await reactions();
    return [reaction.emoji.name, user.id];
  },
  open_private: async (user) => (await (await client.users.fetch(user)).createDM()).id,
  cut: async () => {
    client.ws.shards.first().connection.terminate();
    await resumes();
  },
  complaints: async () => complaints,
};

readline.createInterface({ input: process.stdin }).on("line", async (line) => {
  const [command, ...values] = JSON.parse(line);
  let answer;
  try {
    answer = await commands[command](...values);
  } catch (error) {
    answer = { failed: `${error.stack}` };
  }
  console.log(JSON.stringify(answer === undefined ? null : answer));
}).on("close", () => process.exit(0));

client.login(process.env.TOKEN);

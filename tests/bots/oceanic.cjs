// The bot of tests/test_bot_libraries.py with oceanic.js; NODE_PATH names the packages.
"use strict";
const oceanic = require("oceanic.js");
const { serve, complain } = require("./program.cjs");

const { API, GUILD, TOKEN } = process.env;
const client = new oceanic.Client({
  auth: `Bot ${TOKEN}`,
  gateway: { intents: ["ALL"] },
  rest: { baseURL: `${API}/api/v10` },
});
client.on("packet", ({ t }) => {
  if (!client.shards.dispatcher.events.has(t)) complain(`unknown event ${t}`);
});
client.on("warn", complain);
client.on("error", (error) => complain(error.stack ?? error));
client.on("disconnect", () => complain("disconnected"));

const { ApplicationCommandOptionTypes: Option, ApplicationCommandTypes: Kind } = oceanic;
const { ButtonStyles, ComponentTypes: Type, MessageFlags, TextInputStyles } = oceanic;
const slash = (name, description, options = []) => ({
  type: Kind.CHAT_INPUT,
  name,
  description,
  options,
});
const option = (type, name, description, more = {}) => ({ type, name, description, ...more });
const COMMANDS = [
  slash("shop", "Shopping", [
    option(Option.SUB_COMMAND, "buy", "Buy fruit", {
      options: [
        option(Option.STRING, "fruit", "Which", { required: true, autocomplete: true }),
        option(Option.INTEGER, "number", "How many", { minValue: 1, maxValue: 9 }),
        option(Option.USER, "friend", "For whom"),
        option(Option.CHANNEL, "place", "Where", {
          channelTypes: [oceanic.ChannelTypes.GUILD_TEXT],
        }),
      ],
    }),
  ]),
  slash("think", "Answer later"),
  slash("panel", "Show controls"),
  slash("layout", "Show a layout"),
  slash("read", "Describe a file", [
    option(Option.ATTACHMENT, "file", "Which", { required: true }),
  ]),
  { type: Kind.USER, name: "Who is it" },
  { type: Kind.MESSAGE, name: "Repeat" },
];

const button = (customID, label, style = ButtonStyles.PRIMARY) => ({
  type: Type.BUTTON,
  customID,
  label,
  style,
});
const row = (...components) => ({ type: Type.ACTION_ROW, components });
const controls = (count) => [
  row(
    button("count", count),
    button("form", "Form", ButtonStyles.SECONDARY),
    button("secret", "Secret", ButtonStyles.DANGER)
  ),
  row({ type: Type.USER_SELECT, customID: "users", maxValues: 2 }),
];

const commands = {
  async shop(interaction) {
    const { options } = interaction.data;
    const friend = options.getMember("friend").username;
    const place = options.getCompleteChannel("place").name;
    const bought = `${options.getInteger("number")} ${options.getString("fruit")}`;
    await interaction.createMessage({ content: `${bought} for ${friend} in ${place}` });
  },
  async think(interaction) {
    await interaction.defer();
    await interaction.editOriginal({ content: "first" });
    const followUp = await interaction.createFollowup({ content: "more" });
    const more = await followUp.getMessage();
    await interaction.editFollowup(more.id, { content: "edited" });
    const flags = MessageFlags.EPHEMERAL;
    const hidden = await interaction.createFollowup({ content: "hidden", flags });
    if (!((await hidden.getMessage()).flags & flags)) complain("not ephemeral");
    const original = await interaction.getOriginal();
    if (original.content !== "first") complain(`original response: ${original.content}`);
    await interaction.deleteFollowup(more.id);
    await interaction.deleteOriginal();
  },
  async panel(interaction) {
    const response = await interaction.createMessage({
      content: "panel",
      components: controls("Count"),
    });
    if ((await response.getMessage()).content !== "panel") complain("not the message");
  },
  async layout(interaction) {
    const shown = {
      type: Type.CONTAINER,
      accentColor: 0x3498db,
      components: [
        { type: Type.TEXT_DISPLAY, content: "# Title" },
        {
          type: Type.SECTION,
          components: [{ type: Type.TEXT_DISPLAY, content: "beside" }],
          accessory: button("press", "Press"),
        },
        { type: Type.SEPARATOR, divider: false },
        { type: Type.MEDIA_GALLERY, items: [{ media: { url: "https://example.org/a.png" } }] },
      ],
    };
    const flags = MessageFlags.IS_COMPONENTS_V2;
    await interaction.createMessage({ components: [shown], flags });
  },
  async read(interaction) {
    const file = interaction.data.options.getAttachment("file");
    const contents = Buffer.from(`${file.filename} ${file.size}`);
    const flags = MessageFlags.EPHEMERAL;
    await interaction.createMessage({ files: [{ name: "answer.txt", contents }], flags });
  },
  async "Who is it"(interaction) {
    await interaction.createMessage({ content: interaction.data.target.username });
  },
  async Repeat(interaction) {
    await interaction.createMessage({ content: interaction.data.target.content });
  },
};

const components = {
  async count(interaction) {
    await interaction.editParent({ content: "counted", components: controls("1") });
  },
  async form(interaction) {
    const label = (customID, text, style) => ({
      type: Type.LABEL,
      label: text,
      component: { type: Type.TEXT_INPUT, customID, style, required: customID === "name" },
    });
    await interaction.createModal({
      customID: "about you",
      title: "About you",
      components: [
        label("name", "Name", TextInputStyles.SHORT),
        label("about", "About", TextInputStyles.PARAGRAPH),
      ],
    });
  },
  async secret(interaction) {
    const shown = [row(button("again", "Again"))];
    const flags = MessageFlags.EPHEMERAL;
    await interaction.createMessage({ content: "only you", components: shown, flags });
  },
  async again(interaction) {
    await interaction.editParent({ content: "again", components: [] });
  },
  async users(interaction) {
    await interaction.deferUpdate();
    const names = interaction.data.values.getUsers().map((user) => user.username);
    await interaction.createFollowup({ content: names.sort().join(" and ") });
  },
  async press(interaction) {
    await interaction.createMessage({ content: "pressed" });
  },
  async "about you"(interaction) {
    const filled = interaction.data.components;
    const content = `${filled.getTextInput("name")}: ${filled.getTextInput("about")}`;
    await interaction.createMessage({ content });
  },
};

client.on("interactionCreate", async (interaction) => {
  if (interaction.isAutocompleteInteraction()) {
    const typed = interaction.data.options.getFocused(true).value;
    const choice = (end) => ({ name: typed + end, value: end });
    await interaction.result([choice("ple"), choice("ricot")]);
  } else if (interaction.isCommandInteraction()) {
    await commands[interaction.data.name](interaction);
  } else {
    await components[interaction.data.customID](interaction);
  }
});

serve({
  async start() {
    const ready = new Promise((resolve) => client.once("ready", resolve));
    await client.connect();
    await ready;
    await client.application.bulkEditGuildCommands(GUILD, COMMANDS);
    const members = await client.guilds.get(GUILD).fetchMembers();
    return members.map((member) => member.username);
  },
  async webhook(channel) {
    const { rest } = client;
    const made = await rest.webhooks.create(channel, { name: "Builds" });
    const sent = await rest.webhooks.execute(made.id, made.token, {
      wait: true,
      content: "passed",
      username: "Nightly",
      embeds: [{ title: "Tests", color: 0x3b2f8 }],
      files: [{ name: "log.txt", contents: Buffer.from("log") }],
    });
    const changes = { content: "failed", attachments: [] };
    await rest.webhooks.editMessage(made.id, made.token, sent.id, changes);
    const fetched = await rest.webhooks.getMessage(made.id, made.token, sent.id);
    await rest.webhooks.deleteMessage(made.id, made.token, sent.id);
    await rest.webhooks.deleteToken(made.id, made.token);
    return fetched.content;
  },
});

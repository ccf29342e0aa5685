// The bot of tests/test_bot_libraries.py with discord.js; NODE_PATH names the packages.
"use strict";
const discord = require("discord.js");
const { serve, complain, watch } = require("./program.cjs");

const { API, GUILD, TOKEN } = process.env;
const client = new discord.Client({
  intents: Object.values(discord.GatewayIntentBits).filter(Number.isInteger),
  partials: Object.values(discord.Partials).filter(Number.isInteger),
  rest: { api: `${API}/api`, cdn: API },
});
const events = new Set(Object.values(discord.GatewayDispatchEvents));
client.on("raw", ({ t }) => events.has(t) || complain(`unknown event ${t}`));
client.on("warn", complain);
client.on("error", (error) => complain(error.stack));
client.on("invalidated", () => complain("invalidated"));
client.rest.on("rateLimited", () => complain("rate limited"));
client.rest.on("invalidRequestWarning", () => complain("invalid requests"));

const { ButtonStyle, TextInputStyle, MessageFlags } = discord;
const Ephemeral = MessageFlags.Ephemeral;

const shop = new discord.SlashCommandBuilder()
  .setName("shop")
  .setDescription("Shopping")
  .setNameLocalizations({ de: "laden" })
  .setContexts(discord.InteractionContextType.Guild)
  .addSubcommand((command) =>
    command
      .setName("buy")
      .setDescription("Buy fruit")
      .addStringOption((option) =>
        option.setName("fruit").setDescription("Which").setRequired(true).setAutocomplete(true)
      )
      .addIntegerOption((option) =>
        option.setName("number").setDescription("How many").setMinValue(1).setMaxValue(9)
      )
      .addUserOption((option) => option.setName("friend").setDescription("For whom"))
      .addChannelOption((option) =>
        option
          .setName("place")
          .setDescription("Where")
          .addChannelTypes(discord.ChannelType.GuildText)
      )
  );
const think = new discord.SlashCommandBuilder().setName("think").setDescription("Answer later");
const panel = new discord.SlashCommandBuilder().setName("panel").setDescription("Show controls");
const layout = new discord.SlashCommandBuilder().setName("layout").setDescription("Show a layout");
const read = new discord.SlashCommandBuilder()
  .setName("read")
  .setDescription("Describe a file")
  .addAttachmentOption((option) =>
    option.setName("file").setDescription("Which").setRequired(true)
  );
const who = new discord.ContextMenuCommandBuilder()
  .setName("Who is it")
  .setType(discord.ApplicationCommandType.User);
const repeat = new discord.ContextMenuCommandBuilder()
  .setName("Repeat")
  .setType(discord.ApplicationCommandType.Message);

const button = (id, label, style = ButtonStyle.Primary) =>
  new discord.ButtonBuilder().setCustomId(id).setLabel(label).setStyle(style);
const row = (...components) => new discord.ActionRowBuilder().addComponents(...components);
const controls = (count) => [
  row(
    button("count", count),
    button("form", "Form", ButtonStyle.Secondary),
    button("secret", "Secret", ButtonStyle.Danger)
  ),
  row(new discord.UserSelectMenuBuilder().setCustomId("users").setMaxValues(2)),
];

const commands = {
  async shop(interaction) {
    const { options } = interaction;
    const fruit = options.getString("fruit");
    const friend = options.getMember("friend").user.username;
    const place = options.getChannel("place").name;
    await interaction.reply(`${options.getInteger("number")} ${fruit} for ${friend} in ${place}`);
  },
  async think(interaction) {
    await interaction.deferReply();
    await interaction.editReply("first");
    const more = await interaction.followUp("more");
    await more.edit("edited");
    const hidden = await interaction.followUp({ content: "hidden", flags: Ephemeral });
    if (!hidden.flags.has(Ephemeral)) complain("not ephemeral");
    const original = await interaction.fetchReply();
    if (original.content !== "first") complain(`original response: ${original.content}`);
    await more.delete();
    await interaction.deleteReply();
  },
  async panel(interaction) {
    const response = await interaction.reply({
      content: "panel",
      components: controls("Count"),
      withResponse: true,
    });
    if (response.resource.message.content !== "panel") complain("not the message");
  },
  async layout(interaction) {
    const shown = new discord.ContainerBuilder()
      .setAccentColor(0x3498db)
      .addTextDisplayComponents(new discord.TextDisplayBuilder().setContent("# Title"))
      .addSectionComponents(
        new discord.SectionBuilder()
          .addTextDisplayComponents(new discord.TextDisplayBuilder().setContent("beside"))
          .setButtonAccessory(button("press", "Press"))
      )
      .addSeparatorComponents(new discord.SeparatorBuilder().setDivider(false))
      .addMediaGalleryComponents(
        new discord.MediaGalleryBuilder().addItems(
          new discord.MediaGalleryItemBuilder().setURL("https://example.org/a.png")
        )
      );
    await interaction.reply({ components: [shown], flags: MessageFlags.IsComponentsV2 });
  },
  async read(interaction) {
    const file = interaction.options.getAttachment("file");
    const answer = new discord.AttachmentBuilder(Buffer.from(`${file.name} ${file.size}`), {
      name: "answer.txt",
    });
    await interaction.reply({ files: [answer], flags: Ephemeral });
  },
  async "Who is it"(interaction) {
    await interaction.reply(interaction.targetMember.user.username);
  },
  async Repeat(interaction) {
    await interaction.reply(interaction.targetMessage.content);
  },
};

const components = {
  async count(interaction) {
    await interaction.update({ content: "counted", components: controls("1") });
  },
  async form(interaction) {
    const input = (id, label, style) =>
      new discord.LabelBuilder()
        .setLabel(label)
        .setTextInputComponent(
          new discord.TextInputBuilder().setCustomId(id).setStyle(style).setRequired(id === "name")
        );
    await interaction.showModal(
      new discord.ModalBuilder()
        .setCustomId("about you")
        .setTitle("About you")
        .addLabelComponents(
          input("name", "Name", TextInputStyle.Short),
          input("about", "About", TextInputStyle.Paragraph)
        )
    );
  },
  async secret(interaction) {
    const again = row(button("again", "Again"));
    await interaction.reply({ content: "only you", components: [again], flags: Ephemeral });
  },
  async again(interaction) {
    await interaction.update({ content: "again", components: [] });
  },
  async users(interaction) {
    await interaction.deferUpdate();
    const names = interaction.users.map((user) => user.username).sort();
    await interaction.followUp(names.join(" and "));
  },
  async press(interaction) {
    await interaction.reply("pressed");
  },
  async "about you"(interaction) {
    const { fields } = interaction;
    await interaction.reply(
      `${fields.getTextInputValue("name")}: ${fields.getTextInputValue("about")}`
    );
  },
};

client.on(discord.Events.InteractionCreate, async (interaction) => {
  watch("interaction", interaction);
  if (interaction.isAutocomplete()) {
    const typed = interaction.options.getFocused();
    const choice = (end) => ({ name: typed + end, value: end });
    await interaction.respond([choice("ple"), choice("ricot")]);
  } else if (interaction.isCommand()) {
    await commands[interaction.commandName](interaction);
  } else {
    await components[interaction.customId](interaction);
  }
});
client.on(discord.Events.MessageCreate, (message) => watch("message", message));

serve({
  async start() {
    const ready = new Promise((resolve) => client.once(discord.Events.ClientReady, resolve));
    const rest = new discord.REST({ api: `${API}/api` }).setToken(TOKEN);
    const { id } = await rest.get(discord.Routes.currentApplication());
    const body = [shop, think, panel, layout, read, who, repeat].map((each) => each.toJSON());
    await rest.put(discord.Routes.applicationGuildCommands(id, GUILD), { body });
    await client.login(TOKEN);
    await ready;
    const guild = client.guilds.cache.get(GUILD);
    const members = await guild.members.fetch();
    watch("client", {
      application: await client.application.fetch(),
      channels: guild.channels.cache,
      guild,
      members,
      roles: guild.roles.cache,
      user: client.user,
    });
    return members.map((member) => member.user.username);
  },
  async webhook(channel) {
    const made = await client.channels.cache.get(channel).createWebhook({ name: "Builds" });
    const webhook = new discord.WebhookClient(
      { id: made.id, token: made.token },
      { rest: { api: `${API}/api` } }
    );
    const embed = new discord.EmbedBuilder().setTitle("Tests").setColor(0x3b2f8);
    const files = [new discord.AttachmentBuilder(Buffer.from("log"), { name: "log.txt" })];
    const sent = await webhook.send({
      content: "passed",
      username: "Nightly",
      embeds: [embed],
      files,
    });
    await webhook.editMessage(sent.id, { content: "failed", attachments: [] });
    const fetched = await webhook.fetchMessage(sent.id);
    await webhook.deleteMessage(sent.id);
    await webhook.delete();
    return fetched.content;
  },
});

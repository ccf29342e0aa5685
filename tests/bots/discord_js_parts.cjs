// The program of tests/test_library_discord_js.py: what discord.js does beside answering people.
"use strict";
const discord = require("discord.js");
const assert = require("node:assert/strict");
const { serve, complain, watch } = require("./program.cjs");

const { API, GUILD, TOKEN } = process.env;
const client = new discord.Client({
  intents: Object.values(discord.GatewayIntentBits).filter(Number.isInteger),
  rest: { api: `${API}/api`, cdn: API },
});
const known = new Set(Object.values(discord.GatewayDispatchEvents));
client.on("raw", ({ t }) => known.has(t) || complain(`unknown event ${t}`));
client.on("warn", complain);
client.on("error", (error) => complain(error.stack));

const { Events } = discord;
const heard = [];
let wake = () => {};
const hear = (name, id) => {
  heard.push([name, id]);
  wake();
};
client.on(Events.ApplicationCommandPermissionsUpdate, (data) => hear("permissions", data.id));
client.on(Events.GuildIntegrationsUpdate, (guild) => hear("integrations", guild.id));
client.on(Events.WebhooksUpdate, (channel) => hear("webhooks", channel.id));

const guild = () => client.guilds.cache.get(GUILD);

serve({
  async start() {
    const ready = new Promise((resolve) => client.once(Events.ClientReady, resolve));
    await client.login(TOKEN);
    await ready;
    const application = await client.application.fetch();
    return [application.id, application.name, application.owner.username];
  },
  async event() {
    while (!heard.length) await new Promise((resolve) => (wake = resolve));
    return heard.shift();
  },
  async commands() {
    const { commands } = client.application;
    const made = await commands.create({
      name: "count",
      description: "Counts",
      nameLocalizations: { de: "zählen" },
      defaultMemberPermissions: discord.PermissionFlagsBits.BanMembers,
      nsfw: true,
      contexts: [discord.InteractionContextType.Guild],
      options: [
        {
          type: discord.ApplicationCommandOptionType.Number,
          name: "number",
          description: "How many",
          choices: [{ name: "One", value: 1.5, nameLocalizations: { de: "Eins" } }],
        },
      ],
    });
    const fetched = await commands.fetch(made.id, { withLocalizations: true });
    assert(fetched.equals(made));
    assert.equal(fetched.nameLocalizations.de, "zählen");
    assert(fetched.defaultMemberPermissions.has("BanMembers"));
    const edited = await made.edit({ description: "Counts more", defaultMemberPermissions: null });
    assert.deepEqual([edited.description, edited.defaultMemberPermissions], ["Counts more", null]);
    const menu = await guild().commands.create({ name: "Quote", type: 3 });
    assert.deepEqual([...(await guild().commands.fetch()).keys()], [menu.id]);
    await menu.delete();
    const replaced = await commands.set([{ name: "ping", description: "Answers" }]);
    return replaced.first().id;
  },
  async permissions(command) {
    return guild().commands.permissions.fetch({ command });
  },
  async integrations() {
    const found = await guild().fetchIntegrations();
    watch("integrations", found);
    return found.map((each) => [each.application.bot.username, each.type]);
  },
  async webhooks(from, to) {
    const source = await client.channels.cache.get(from).setType(
      discord.ChannelType.GuildAnnouncement
    );
    const target = client.channels.cache.get(to);
    const made = await source.createWebhook({ name: "Builds", reason: "CI" });
    assert.deepEqual([...(await source.fetchWebhooks()).keys()], [made.id]);
    const edited = await made.edit({ name: "Tests", channel: to });
    assert.deepEqual([edited.name, edited.channelId], ["Tests", to]);
    await source.addFollower(to, "news");
    const sent = await source.send("news");
    const published = await sent.crosspost();
    assert(published.flags.has(discord.MessageFlags.Crossposted));
    const hooks = await guild().fetchWebhooks();
    assert(hooks.some((each) => each.isChannelFollower() && each.sourceChannel.id === from));
    for (const each of hooks.values()) await each.delete();
    return [...(await target.fetchWebhooks()).keys()];
  },
  async selects(channel) {
    const row = (...components) => new discord.ActionRowBuilder().addComponents(...components);
    const option = { label: "Red", value: "r", description: "warm", emoji: "🔴", default: true };
    const menus = [
      new discord.StringSelectMenuBuilder().setOptions(option).setMinValues(0),
      new discord.UserSelectMenuBuilder().setDefaultUsers(client.user.id),
      new discord.RoleSelectMenuBuilder().setDefaultRoles(GUILD),
      new discord.MentionableSelectMenuBuilder().setPlaceholder("Choose"),
    ].map((menu, index) => row(menu.setCustomId(`menu${index}`)));
    const link = new discord.ButtonBuilder()
      .setURL("https://example.org/")
      .setLabel("Go")
      .setStyle(discord.ButtonStyle.Link);
    const there = client.channels.cache.get(channel);
    const sent = await there.send({ content: "choose", components: [...menus, row(link)] });
    const read = await there.messages.fetch({ message: sent.id, force: true });
    const parts = (message) => message.components.map((each) => each.toJSON());
    assert.deepEqual(parts(read), parts(sent));
    const kinds = parts(read).map((each) => each.components[0].type);
    const channels = new discord.ChannelSelectMenuBuilder()
      .setCustomId("channels")
      .setChannelTypes(discord.ChannelType.GuildText);
    const edited = await sent.edit({ components: [row(channels)] });
    assert.deepEqual(edited.components[0].components[0].channelTypes, [0]);
    return kinds; // the edit has changed the cached message
  },
});

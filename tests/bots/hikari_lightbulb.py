"""The bot of tests/test_bot_libraries.py with hikari and lightbulb."""

# mypy: ignore-errors

import hikari
import lightbulb
from program import API, GUILD, TOKEN, complaints, serve

bot = hikari.GatewayBot(
    TOKEN,
    rest_url=f"{API}/api/v10",
    banner=None,
    suppress_optimization_warning=True,
    logs=None,
    intents=hikari.Intents.ALL,
)
client = lightbulb.client_from_app(bot, default_enabled_guilds=[GUILD])
shop = lightbulb.Group("shop", "Shopping")


async def fruits(ctx):
    """Suggest fruit."""
    await ctx.respond([(ctx.focused.value + end, end) for end in ("ple", "ricot")])


@shop.register
class Buy(lightbulb.SlashCommand, name="buy", description="Buy fruit"):
    fruit = lightbulb.string("fruit", "Which", autocomplete=fruits)
    number = lightbulb.integer("number", "How many", min_value=1, max_value=9)
    friend = lightbulb.user("friend", "For whom")
    place = lightbulb.channel("place", "Where", channel_types=[hikari.ChannelType.GUILD_TEXT])

    @lightbulb.invoke
    async def invoke(self, ctx):
        text = f"{self.number} {self.fruit} for {self.friend.username} in {self.place.name}"
        await ctx.respond(text)


client.register(shop)


@client.register
class Think(lightbulb.SlashCommand, name="think", description="Answer later"):
    @lightbulb.invoke
    async def invoke(self, ctx):
        await ctx.defer()

        interaction = ctx.interaction
        await interaction.edit_initial_response("first")
        more = await interaction.execute("more")
        await interaction.edit_message(more, "edited")
        hidden = await interaction.execute("hidden", flags=hikari.MessageFlag.EPHEMERAL)
        if not hidden.flags & hikari.MessageFlag.EPHEMERAL:
            complaints.append("not ephemeral")
        original = await interaction.fetch_initial_response()
        if original.content != "first":
            complaints.append(f"original response: {original.content}")
        await interaction.delete_message(more)
        await interaction.delete_initial_response()


def controls(count):
    """Buttons and a select."""
    buttons = bot.rest.build_message_action_row()
    buttons.add_interactive_button(hikari.ButtonStyle.PRIMARY, "count", label=count)
    buttons.add_interactive_button(hikari.ButtonStyle.SECONDARY, "form", label="Form")
    buttons.add_interactive_button(hikari.ButtonStyle.DANGER, "secret", label="Secret")
    users = bot.rest.build_message_action_row()
    users.add_select_menu(hikari.ComponentType.USER_SELECT_MENU, "users", max_values=2)
    return [buttons, users]


@client.register
class Panel(lightbulb.SlashCommand, name="panel", description="Show controls"):
    @lightbulb.invoke
    async def invoke(self, ctx):
        await ctx.respond("panel", components=controls("Count"))


@client.register
class Layout(lightbulb.SlashCommand, name="layout", description="Show a layout"):
    @lightbulb.invoke
    async def invoke(self, ctx):
        press = hikari.impl.InteractiveButtonBuilder(
            style=hikari.ButtonStyle.PRIMARY, custom_id="press", label="Press"
        )
        shown = hikari.impl.ContainerComponentBuilder(accent_color=hikari.Color(0x3498DB))
        shown.add_text_display("# Title")
        section = hikari.impl.SectionComponentBuilder(accessory=press)
        section.add_text_display("beside")
        shown.add_component(section)
        shown.add_separator(divider=False)
        gallery = hikari.impl.MediaGalleryComponentBuilder()
        gallery.add_media_gallery_item("https://example.org/a.png")
        shown.add_component(gallery)
        await ctx.respond(components=[shown], flags=hikari.MessageFlag.IS_COMPONENTS_V2)


@client.register
class Read(lightbulb.SlashCommand, name="read", description="Describe a file"):
    file = lightbulb.attachment("file", "Which")

    @lightbulb.invoke
    async def invoke(self, ctx):
        text = f"{self.file.filename} {self.file.size}"
        await ctx.respond(attachment=hikari.Bytes(text.encode(), "answer.txt"), ephemeral=True)


@client.register
class Who(lightbulb.UserCommand, name="Who is it"):
    @lightbulb.invoke
    async def invoke(self, ctx):
        await ctx.respond(self.target.username)


@client.register
class Repeat(lightbulb.MessageCommand, name="Repeat"):
    @lightbulb.invoke
    async def invoke(self, ctx):
        await ctx.respond(self.target.content)


async def count(interaction):
    update = hikari.ResponseType.MESSAGE_UPDATE
    await interaction.create_initial_response(update, "counted", components=controls("1"))


async def form(interaction):
    name = bot.rest.build_modal_action_row().add_text_input("name", "Name")
    about = bot.rest.build_modal_action_row().add_text_input(
        "about", "About", style=hikari.TextInputStyle.PARAGRAPH, required=False
    )
    await interaction.create_modal_response("About you", "about you", components=[name, about])


async def secret(interaction):
    row = bot.rest.build_message_action_row()
    row.add_interactive_button(hikari.ButtonStyle.PRIMARY, "again", label="Again")
    await interaction.create_initial_response(
        hikari.ResponseType.MESSAGE_CREATE,
        "only you",
        component=row,
        flags=hikari.MessageFlag.EPHEMERAL,
    )


async def again(interaction):
    update = hikari.ResponseType.MESSAGE_UPDATE
    await interaction.create_initial_response(update, "again", components=[])


async def users(interaction):
    await interaction.create_initial_response(hikari.ResponseType.DEFERRED_MESSAGE_UPDATE)
    names = sorted(each.username for each in interaction.resolved.users.values())
    await interaction.execute(" and ".join(names))


async def press(interaction):
    await interaction.create_initial_response(hikari.ResponseType.MESSAGE_CREATE, "pressed")


COMPONENTS = {each.__name__: each for each in (count, form, secret, again, users, press)}


@bot.listen(hikari.ComponentInteractionCreateEvent)
async def on_component(event):
    await COMPONENTS[event.interaction.custom_id](event.interaction)


@bot.listen(hikari.ModalInteractionCreateEvent)
async def on_modal(event):
    values = {each[0].custom_id: each[0].value for each in event.interaction.components}
    await event.interaction.create_initial_response(
        hikari.ResponseType.MESSAGE_CREATE, f"{values['name']}: {values['about']}"
    )


@bot.listen(hikari.ExceptionEvent)
async def on_exception(event):
    complaints.append(repr(event.exception))


async def start():
    bot.subscribe(hikari.StartingEvent, client.start)
    await bot.start()
    members = bot.rest.fetch_members(GUILD)
    return [each.username async for each in members]


async def webhook(channel):
    made = await bot.rest.create_webhook(int(channel), "Builds")
    given = {"webhook": made.id, "token": made.token}
    sent = await bot.rest.execute_webhook(
        **given,
        content="passed",
        username="Nightly",
        embed=hikari.Embed(title="Tests", color=0x3B2F8),
        attachment=hikari.Bytes(b"log", "log.txt"),
    )
    await bot.rest.edit_webhook_message(
        **given, message=sent.id, content="failed", attachments=None
    )
    fetched = await bot.rest.fetch_webhook_message(**given, message=sent.id)
    await bot.rest.delete_webhook_message(**given, message=sent.id)
    await bot.rest.delete_webhook(made.id, token=made.token)
    return fetched.content


serve(start, webhook)

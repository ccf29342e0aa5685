"""The program of tests/test_library_hikari.py: what hikari does beside answering people."""

# mypy: ignore-errors

import asyncio

import hikari
from hikari.events.application_events import ApplicationCommandPermissionsUpdateEvent
from program import API, GUILD, TOKEN, complaints, serve

bot = hikari.GatewayBot(
    TOKEN,
    rest_url=f"{API}/api/v10",
    banner=None,
    suppress_optimization_warning=True,
    logs=None,
    intents=hikari.Intents.ALL,
)
heard = asyncio.Queue()


@bot.listen(hikari.IntegrationEvent)
async def on_integration(event):
    heard.put_nowait([type(event).__name__, str(event.id)])


@bot.listen(hikari.WebhookUpdateEvent)
async def on_webhooks(event):
    heard.put_nowait([type(event).__name__, str(event.channel_id)])


@bot.listen(ApplicationCommandPermissionsUpdateEvent)
async def on_permissions(event):
    heard.put_nowait([type(event).__name__, str(event.permissions.command_id)])


@bot.listen(hikari.ExceptionEvent)
async def on_exception(event):
    complaints.append(repr(event.exception))


async def start():
    await bot.start()
    application = await bot.rest.fetch_application()
    return [str(application.id), application.name, application.owner.username]


async def event():
    """Return the name and the object of the next event."""
    return await asyncio.wait_for(heard.get(), 30)


async def commands():
    """Create, list, edit and delete commands globally and in the guild."""
    rest, me = bot.rest, bot.get_me().id
    choices = [hikari.CommandChoice(name="One", value=1)]
    kinds = hikari.OptionType
    number = hikari.CommandOption(
        type=kinds.INTEGER, name="number", description="How many", choices=choices
    )
    inner = hikari.CommandOption(
        type=kinds.SUB_COMMAND, name="inner", description="Inside", options=[number]
    )
    group = hikari.CommandOption(
        type=kinds.SUB_COMMAND_GROUP, name="group", description="Around", options=[inner]
    )
    german = {hikari.Locale.DE: "zählen"}
    made = await rest.create_slash_command(
        me,
        "count",
        "Counts",
        options=[group],
        name_localizations=german,
        default_member_permissions=hikari.Permissions.BAN_MEMBERS,
        nsfw=True,
    )
    fetched = await rest.fetch_application_command(me, made.id)
    assert fetched == made, (fetched, made)
    assert fetched.default_member_permissions == hikari.Permissions.BAN_MEMBERS
    assert fetched.options[0].options[0].options[0].choices == choices
    assert fetched.is_nsfw
    edited = await rest.edit_application_command(
        me, made.id, description="Counts more", default_member_permissions=0, nsfw=False
    )
    assert (edited.description, edited.is_nsfw) == ("Counts more", False)
    menu = await rest.create_context_menu_command(
        me, hikari.CommandType.MESSAGE, "Quote", guild=GUILD
    )
    listed = await rest.fetch_application_commands(me, guild=GUILD)
    assert [each.id for each in listed] == [menu.id]
    ping = rest.slash_command_builder("ping", "Answers")
    user = rest.context_menu_command_builder(hikari.CommandType.USER, "Who is it")
    replaced = await rest.set_application_commands(me, [ping, user])
    assert {each.name for each in replaced} == {"ping", "Who is it"}
    await rest.delete_application_command(me, menu.id, guild=GUILD)
    assert await rest.fetch_application_commands(me, guild=GUILD) == []
    return {each.name: str(each.id) for each in replaced}


async def permissions(command):
    """Return the permissions of a command."""
    found = await bot.rest.fetch_application_command_permissions(
        bot.get_me().id, GUILD, int(command)
    )
    return [[str(each.id), int(each.type), each.has_access] for each in found.permissions]


async def integrations():
    """Return the integrations of the guild: their bots and scopes."""
    found = await bot.rest.fetch_integrations(GUILD)
    return {each.application.bot.username: each.type for each in found}


async def webhooks(channel, target):
    """Create, list, edit, follow, publish and delete webhooks."""
    rest = bot.rest
    made = await rest.create_webhook(int(channel), "Builds", reason="CI")
    assert [each.id for each in await rest.fetch_channel_webhooks(int(channel))] == [made.id]
    assert (await rest.fetch_webhook(made.id, token=made.token)).name == "Builds"
    assert (await rest.edit_webhook(made.id, name="Tests")).name == "Tests"
    assert [each.name for each in await rest.fetch_guild_webhooks(GUILD)] == ["Tests"]
    follow = await rest.follow_channel(int(channel), int(target))
    sent = await rest.create_message(int(channel), "news")
    published = await rest.crosspost_message(int(channel), sent.id)
    assert published.flags & hikari.MessageFlag.CROSSPOSTED
    [follower] = await rest.fetch_channel_webhooks(int(target))
    assert (follower.id, follower.type) == (follow.webhook_id, hikari.WebhookType.CHANNEL_FOLLOWER)
    await rest.delete_webhook(follower.id)
    await rest.delete_webhook(made.id)
    return await rest.fetch_guild_webhooks(GUILD)


async def selects(channel):
    """Send all kinds of selects and link buttons, and read them again."""
    rest, rows = bot.rest, []
    kinds = hikari.ComponentType
    text = rest.build_message_action_row().add_text_menu("colors", min_values=0, max_values=2)
    text.add_option("Red", "r", description="warm", emoji="🔴", is_default=True)
    text.add_option("Blue", "b")
    rows.append(text.parent)
    for kind in (kinds.USER_SELECT_MENU, kinds.ROLE_SELECT_MENU, kinds.MENTIONABLE_SELECT_MENU):
        row = rest.build_message_action_row()
        row.add_select_menu(kind, kind.name, placeholder="Choose")
        rows.append(row)
    links = rest.build_message_action_row()
    links.add_link_button("https://example.org/", label="Go")
    rows.append(links)
    sent = await rest.create_message(int(channel), "choose", components=rows)
    read = await rest.fetch_message(int(channel), sent.id)
    assert read.components == sent.components
    menu = rest.build_message_action_row()
    kind = hikari.ChannelType.GUILD_TEXT
    menu.add_channel_menu("channels", channel_types=[kind])
    edited = await rest.edit_message(int(channel), sent.id, components=[menu])
    assert edited.components[0][0].channel_types == [kind]
    return [int(row[0].type) for row in read.components]


serve(start, event, commands, permissions, integrations, webhooks, selects)

"""The bot of tests/test_bot_libraries.py with interactions.py."""

# mypy: ignore-errors

import asyncio
import io

import interactions
from interactions import SlashCommandChoice, slash_command, slash_option
from interactions.api.http.route import Route
from program import API, GUILD, TOKEN, complaints, first_of, serve

Route.BASE = f"{API}/api/v10"

client = interactions.Client(
    intents=interactions.Intents.ALL, debug_scope=GUILD, fetch_members=True
)


@slash_command("shop", description="Shopping", sub_cmd_name="buy", sub_cmd_description="Buy fruit")
@slash_option(
    "fruit", "Which", opt_type=interactions.OptionType.STRING, required=True, autocomplete=True
)
@slash_option(
    "number", "How many", opt_type=interactions.OptionType.INTEGER, min_value=1, max_value=9
)
@slash_option("friend", "For whom", opt_type=interactions.OptionType.USER)
@slash_option(
    "place",
    "Where",
    opt_type=interactions.OptionType.CHANNEL,
    channel_types=[interactions.ChannelType.GUILD_TEXT],
)
async def buy(ctx, fruit, number, friend, place):
    await ctx.send(f"{number} {fruit} for {friend.username} in {place.name}")


@buy.autocomplete("fruit")
async def fruits(ctx):
    await ctx.send(
        [SlashCommandChoice(name=ctx.input_text + end, value=end) for end in ("ple", "ricot")]
    )


@slash_command("think", description="Answer later")
async def think(ctx):
    await ctx.defer()
    first = await ctx.send("first")
    more = await ctx.send("more")
    await ctx.edit(more, content="edited")
    hidden = await ctx.send("hidden", ephemeral=True)
    if not hidden.flags & interactions.MessageFlags.EPHEMERAL:
        complaints.append("not ephemeral")
    if first.content != "first":
        complaints.append(f"original response: {first.content}")
    await ctx.delete(more)
    await ctx.delete(first)


def controls(count):
    """Buttons and a select."""
    style = interactions.ButtonStyle
    return [
        interactions.ActionRow(
            interactions.Button(style=style.PRIMARY, label=count, custom_id="count"),
            interactions.Button(style=style.SECONDARY, label="Form", custom_id="form"),
            interactions.Button(style=style.DANGER, label="Secret", custom_id="secret"),
        ),
        interactions.ActionRow(interactions.UserSelectMenu(custom_id="users", max_values=2)),
    ]


@slash_command("panel", description="Show controls")
async def panel(ctx):
    message = await ctx.send("panel", components=controls("Count"))
    if message.content != "panel":
        complaints.append("not the message")


@slash_command("layout", description="Show a layout")
async def layout(ctx):
    press = interactions.Button(
        style=interactions.ButtonStyle.PRIMARY, label="Press", custom_id="press"
    )
    picture = interactions.UnfurledMediaItem(url="https://example.org/a.png")
    shown = interactions.ContainerComponent(
        interactions.TextDisplayComponent(content="# Title"),
        interactions.SectionComponent(
            components=[interactions.TextDisplayComponent(content="beside")], accessory=press
        ),
        interactions.SeparatorComponent(divider=False),
        interactions.MediaGalleryComponent(items=[interactions.MediaGalleryItem(media=picture)]),
        accent_color=0x3498DB,
    )
    await ctx.send(components=[shown])


@slash_command("read", description="Describe a file")
@slash_option("file", "Which", opt_type=interactions.OptionType.ATTACHMENT, required=True)
async def read(ctx, file):
    text = f"{file.filename} {file.size}"
    answer = interactions.File(io.BytesIO(text.encode()), file_name="answer.txt")
    await ctx.send(file=answer, ephemeral=True)


@interactions.user_context_menu("Who is it")
async def who(ctx):
    await ctx.send(ctx.target.username)


@interactions.message_context_menu("Repeat")
async def repeat(ctx):
    await ctx.send(ctx.target.content)


@interactions.component_callback("count")
async def count(ctx):
    await ctx.defer(edit_origin=True)
    await ctx.edit_origin(content="counted", components=controls("1"))


@interactions.component_callback("form")
async def form(ctx):
    await ctx.send_modal(
        interactions.Modal(
            interactions.ShortText(label="Name", custom_id="name"),
            interactions.ParagraphText(label="About", custom_id="about", required=False),
            title="About you",
            custom_id="about_you",
        )
    )


@interactions.modal_callback("about_you")
async def about_you(ctx, name, about):
    await ctx.send(f"{name}: {about}")


@interactions.component_callback("secret")
async def secret(ctx):
    style = interactions.ButtonStyle.PRIMARY
    button = interactions.Button(style=style, label="Again", custom_id="again")
    await ctx.send("only you", components=[button], ephemeral=True)


@interactions.component_callback("again")
async def again(ctx):
    await ctx.edit_origin(content="again", components=[])


@interactions.component_callback("users")
async def users(ctx):
    names = sorted(each.username for each in ctx.values)
    await ctx.send(" and ".join(names))


@interactions.component_callback("press")
async def press(ctx):
    await ctx.send("pressed")


@interactions.listen(interactions.api.events.Error, disable_default_listeners=True)
async def on_error(event):
    complaints.append(repr(event.error))


async def start():
    ready = asyncio.ensure_future(client.wait_for("startup", timeout=60))
    await first_of(asyncio.ensure_future(client.astart(TOKEN)), ready)
    return [each.username for each in client.get_guild(GUILD).members]


async def webhook(channel):
    made = await interactions.Webhook.create(client, int(channel), "Builds")
    embed = interactions.Embed(title="Tests", color=0x3B2F8)
    log = interactions.File(io.BytesIO(b"log"), file_name="log.txt")
    sent = await made.send("passed", username="Nightly", embed=embed, file=log, wait=True)
    await made.edit_message(sent, content="failed")
    fetched = await made.fetch_message(sent)
    await made.delete_message(sent)
    await made.delete()
    return fetched.content


serve(start, webhook)

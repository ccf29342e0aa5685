"""The bot of tests/test_bot_libraries.py with py-cord."""

# mypy: ignore-errors

import asyncio
import io

import discord
from discord import ui
from program import API, GUILD, TOKEN, complaints, first_of, serve

discord.http.HTTPClient.API_BASE_URL = f"{API}/api/v{{API_VERSION}}"
discord.http.Route.API_BASE_URL = f"{API}/api/v{{API_VERSION}}"
discord.Asset.BASE = API

bot = discord.Bot(intents=discord.Intents.all(), debug_guilds=[GUILD])
shop = bot.create_group("shop", "Shopping")


async def fruits(ctx):
    """Suggest fruit."""
    return [discord.OptionChoice(ctx.value + end, end) for end in ("ple", "ricot")]


@shop.command(description="Buy fruit")
@discord.option("fruit", str, autocomplete=fruits)
@discord.option("number", int, min_value=1, max_value=9)
@discord.option("friend", discord.Member)
@discord.option("place", discord.TextChannel)
async def buy(ctx, fruit, number, friend, place):
    await ctx.respond(f"{number} {fruit} for {friend.name} in {place.name}")


@bot.slash_command(description="Answer later")
async def think(ctx):
    await ctx.defer()
    await ctx.interaction.edit_original_response(content="first")
    more = await ctx.followup.send("more", wait=True)
    await more.edit(content="edited")
    hidden = await ctx.followup.send("hidden", ephemeral=True, wait=True)
    if not hidden.flags.ephemeral:
        complaints.append("not ephemeral")
    original = await ctx.interaction.original_response()
    if original.content != "first":
        complaints.append(f"original response: {original.content}")
    await more.delete()
    await ctx.interaction.delete_original_response()


class Form(ui.Modal):
    def __init__(self):
        name = ui.InputText(label="Name", custom_id="name")
        about = ui.InputText(
            label="About", custom_id="about", style=discord.InputTextStyle.long, required=False
        )
        super().__init__(name, about, title="About you", custom_id="about you")

    async def callback(self, inter):
        name, about = self.children
        await inter.response.send_message(f"{name.value}: {about.value}")


class Hidden(ui.View):
    @ui.button(label="Again", custom_id="again")
    async def again(self, button, inter):
        await inter.response.edit_message(content="again", view=None)


class Panel(ui.View):
    @ui.button(label="Count", custom_id="count")
    async def count(self, button, inter):
        button.label = "1"
        await inter.response.edit_message(content="counted", view=self)

    @ui.button(label="Form", custom_id="form")
    async def form(self, button, inter):
        await inter.response.send_modal(Form())

    @ui.button(label="Secret", custom_id="secret", style=discord.ButtonStyle.danger)
    async def secret(self, button, inter):
        await inter.response.send_message("only you", view=Hidden(), ephemeral=True)

    @ui.user_select(custom_id="users", max_values=2)
    async def users(self, select, inter):
        await inter.response.defer()
        await inter.followup.send(" and ".join(sorted(each.name for each in select.values)))


@bot.slash_command(description="Show controls")
async def panel(ctx):
    await ctx.respond("panel", view=Panel())


class Press(ui.Button):
    async def callback(self, inter):
        await inter.response.send_message("pressed")


@bot.slash_command(description="Show a layout")
async def layout(ctx):
    shown = ui.Container(
        ui.TextDisplay("# Title"),
        ui.Section(ui.TextDisplay("beside"), accessory=Press(label="Press", custom_id="press")),
        ui.Separator(divider=False),
        ui.MediaGallery(discord.MediaGalleryItem("https://example.org/a.png")),
        color=discord.Colour(0x3498DB),
    )
    await ctx.respond(view=ui.DesignerView(shown))


@bot.slash_command(description="Describe a file")
@discord.option("file", discord.Attachment)
async def read(ctx, file):
    answer = discord.File(io.BytesIO(f"{file.filename} {file.size}".encode()), "answer.txt")
    await ctx.respond(file=answer, ephemeral=True)


@bot.user_command(name="Who is it")
async def who(ctx, member):
    await ctx.respond(member.name)


@bot.message_command(name="Repeat")
async def repeat(ctx, message):
    await ctx.respond(message.content)


@bot.event
async def on_application_command_error(ctx, error):
    complaints.append(repr(error))


@bot.event
async def on_error(event, *args):
    complaints.append(f"error in {event}")


async def start():
    ready = asyncio.ensure_future(bot.wait_for("ready", timeout=60))
    await first_of(asyncio.ensure_future(bot.start(TOKEN)), ready)
    return [each.name for each in bot.get_guild(GUILD).members]


async def webhook(channel):
    made = await bot.get_channel(int(channel)).create_webhook(name="Builds")
    embed = discord.Embed(title="Tests", colour=0x3B2F8)
    log = discord.File(io.BytesIO(b"log"), "log.txt")
    sent = await made.send("passed", username="Nightly", embed=embed, file=log, wait=True)
    await sent.edit(content="failed", attachments=[])
    fetched = await made.fetch_message(sent.id)
    await sent.delete()
    await made.delete()
    return fetched.content


serve(start, webhook)

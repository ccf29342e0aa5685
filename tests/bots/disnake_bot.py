"""The bot of tests/test_bot_libraries.py with disnake."""

# mypy: ignore-errors

import asyncio
import io

import disnake
from disnake import ui
from disnake.ext import commands
from program import API, GUILD, TOKEN, complaints, first_of, serve

disnake.http.Route.BASE = f"{API}/api/v10"
disnake.Asset.BASE = API

bot = commands.InteractionBot(intents=disnake.Intents.all(), test_guilds=[GUILD])


@bot.slash_command()
async def shop(inter):
    pass


@shop.sub_command(description="Buy fruit")
async def buy(
    inter,
    fruit: str,
    number: commands.Range[int, 1, 9],
    friend: disnake.Member,
    place: disnake.TextChannel,
):
    await inter.response.send_message(f"{number} {fruit} for {friend.name} in {place.name}")


@buy.autocomplete("fruit")
async def fruits(inter, typed):
    return {typed + end: end for end in ("ple", "ricot")}


@bot.slash_command(description="Answer later")
async def think(inter):
    await inter.response.defer()
    await inter.edit_original_response("first")
    more = await inter.followup.send("more", wait=True)
    await more.edit("edited")
    hidden = await inter.followup.send("hidden", ephemeral=True, wait=True)
    if not hidden.flags.ephemeral:
        complaints.append("not ephemeral")
    original = await inter.original_response()
    if original.content != "first":
        complaints.append(f"original response: {original.content}")
    await more.delete()
    await inter.delete_original_response()


class Form(ui.Modal):
    def __init__(self):
        name = ui.TextInput(label="Name", custom_id="name")
        about = ui.TextInput(
            label="About", custom_id="about", style=disnake.TextInputStyle.paragraph, required=False
        )
        super().__init__(title="About you", custom_id="about you", components=[name, about])

    async def callback(self, inter):
        values = inter.text_values
        await inter.response.send_message(f"{values['name']}: {values['about']}")


class Hidden(ui.View):
    @ui.button(label="Again", custom_id="again")
    async def again(self, button, inter):
        await inter.response.edit_message("again", view=None)


class Panel(ui.View):
    @ui.button(label="Count", custom_id="count")
    async def count(self, button, inter):
        button.label = "1"
        await inter.response.edit_message("counted", view=self)

    @ui.button(label="Form", custom_id="form")
    async def form(self, button, inter):
        await inter.response.send_modal(Form())

    @ui.button(label="Secret", custom_id="secret", style=disnake.ButtonStyle.danger)
    async def secret(self, button, inter):
        await inter.response.send_message("only you", view=Hidden(), ephemeral=True)

    @ui.user_select(custom_id="users", max_values=2)
    async def users(self, select, inter):
        await inter.response.defer()
        await inter.followup.send(" and ".join(sorted(each.name for each in select.values)))


@bot.slash_command(description="Show controls")
async def panel(inter):
    await inter.response.send_message("panel", view=Panel())


@bot.slash_command(description="Show a layout")
async def layout(inter):
    shown = ui.Container(
        ui.TextDisplay("# Title"),
        ui.Section("beside", accessory=ui.Button(label="Press", custom_id="press")),
        ui.Separator(divider=False),
        ui.MediaGallery(disnake.MediaGalleryItem("https://example.org/a.png")),
        accent_colour=disnake.Colour(0x3498DB),
    )
    await inter.response.send_message(components=[shown])


@bot.listen("on_button_click")
async def pressed(inter):
    if inter.component.custom_id == "press":
        await inter.response.send_message("pressed")


@bot.slash_command(description="Describe a file")
async def read(inter, file: disnake.Attachment):
    answer = disnake.File(io.BytesIO(f"{file.filename} {file.size}".encode()), "answer.txt")
    await inter.response.send_message(file=answer, ephemeral=True)


@bot.user_command(name="Who is it")
async def who(inter, user: disnake.Member):
    await inter.response.send_message(user.name)


@bot.message_command(name="Repeat")
async def repeat(inter, message: disnake.Message):
    await inter.response.send_message(message.content)


@bot.event
async def on_error(event, *args):
    complaints.append(f"error in {event}")


async def start():
    ready = asyncio.ensure_future(bot.wait_for("ready", timeout=60))
    await first_of(asyncio.ensure_future(bot.start(TOKEN)), ready)
    return [each.name for each in bot.get_guild(GUILD).members]


async def webhook(channel):
    made = await bot.get_channel(int(channel)).create_webhook(name="Builds")
    embed = disnake.Embed(title="Tests", colour=0x3B2F8)
    log = disnake.File(io.BytesIO(b"log"), "log.txt")
    sent = await made.send("passed", username="Nightly", embed=embed, file=log, wait=True)
    await sent.edit("failed", attachments=[])
    fetched = await made.fetch_message(sent.id)
    await sent.delete()
    await made.delete()
    return fetched.content


serve(start, webhook)

"""The bot of tests/test_bot_libraries.py with nextcord, which has no layouts."""

# mypy: ignore-errors

import asyncio
import io

import nextcord
from nextcord import SlashOption, ui
from program import API, GUILD, TOKEN, complaints, first_of, loop, serve

nextcord.http.Route.BASE = f"{API}/api/v10"
nextcord.Asset.BASE = API

bot = nextcord.Client(intents=nextcord.Intents.all(), default_guild_ids=[GUILD], loop=loop)


@bot.slash_command(description="Shopping")
async def shop(inter):
    pass


@shop.subcommand(description="Buy fruit")
async def buy(
    inter,
    fruit: str = SlashOption("fruit", "Which"),
    number: int = SlashOption("number", "How many", min_value=1, max_value=9, required=False),
    friend: nextcord.Member = SlashOption("friend", "For whom", required=False),
    place: nextcord.TextChannel = SlashOption("place", "Where", required=False),
):
    await inter.response.send_message(f"{number} {fruit} for {friend.name} in {place.name}")


@buy.on_autocomplete("fruit")
async def fruits(inter, typed):
    await inter.response.send_autocomplete({typed + end: end for end in ("ple", "ricot")})


@bot.slash_command(description="Answer later")
async def think(inter):
    await inter.response.defer()
    await inter.edit_original_message(content="first")
    more = await inter.followup.send("more", wait=True)
    await more.edit(content="edited")
    hidden = await inter.followup.send("hidden", ephemeral=True, wait=True)
    if not hidden.flags.ephemeral:
        complaints.append("not ephemeral")
    original = await inter.original_message()
    if original.content != "first":
        complaints.append(f"original response: {original.content}")
    await more.delete()
    await inter.delete_original_message()


class Form(ui.Modal):
    def __init__(self):
        super().__init__("About you", custom_id="about you")
        self.name = ui.TextInput("Name", custom_id="name")
        self.about = ui.TextInput(
            "About", custom_id="about", style=nextcord.TextInputStyle.paragraph, required=False
        )
        self.add_item(self.name)
        self.add_item(self.about)

    async def callback(self, inter):
        await inter.response.send_message(f"{self.name.value}: {self.about.value}")


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

    @ui.button(label="Secret", custom_id="secret", style=nextcord.ButtonStyle.danger)
    async def secret(self, button, inter):
        await inter.response.send_message("only you", view=Hidden(), ephemeral=True)

    @ui.user_select(custom_id="users", max_values=2)
    async def users(self, select, inter):
        await inter.response.defer()
        await inter.followup.send(" and ".join(sorted(each.name for each in select.values)))


@bot.slash_command(description="Show controls")
async def panel(inter):
    await inter.response.send_message("panel", view=Panel())


@bot.slash_command(description="Describe a file")
async def read(inter, file: nextcord.Attachment = SlashOption("file", "Which")):
    answer = nextcord.File(io.BytesIO(f"{file.filename} {file.size}".encode()), "answer.txt")
    await inter.response.send_message(file=answer, ephemeral=True)


@bot.user_command(name="Who is it")
async def who(inter, member: nextcord.Member):
    await inter.response.send_message(member.name)


@bot.message_command(name="Repeat")
async def repeat(inter, message: nextcord.Message):
    await inter.response.send_message(message.content)


async def start():
    ready = asyncio.ensure_future(bot.wait_for("ready", timeout=60))
    await first_of(asyncio.ensure_future(bot.start(TOKEN)), ready)
    return [each.name for each in bot.get_guild(GUILD).members]


async def webhook(channel):
    made = await bot.get_channel(int(channel)).create_webhook(name="Builds")
    embed = nextcord.Embed(title="Tests", colour=0x3B2F8)
    log = nextcord.File(io.BytesIO(b"log"), "log.txt")
    sent = await made.send("passed", username="Nightly", embed=embed, file=log, wait=True)
    await sent.edit(content="failed", attachments=[])
    fetched = await made.fetch_message(sent.id)
    await sent.delete()
    await made.delete()
    return fetched.content


serve(start, webhook)

"""discord.py receives and answers interactions as it does at Discord."""

from __future__ import annotations

import io
from typing import Any

import discord
import pytest
from discord import app_commands, ui

from tests.helpers.attachments import download
from tests.helpers.discord_py import running
from tests.helpers.invoker import invoker_of, option, subcommand
from tests.world import World


class Shop(app_commands.Group):
    """A group of slash commands."""

    @app_commands.command()
    async def buy(
        self,
        interaction: discord.Interaction,
        fruit: str,
        number: app_commands.Range[int, 1, 9],
        friend: discord.Member,
        place: discord.TextChannel,
    ) -> None:
        """Buy fruit."""
        text = f"{number} {fruit} for {friend.name} in {place.name}"
        await interaction.response.send_message(text)

    @buy.autocomplete("fruit")
    async def fruit(
        self, interaction: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=f"{current}{end}", value=end) for end in ("ple", "ricot")]

    @app_commands.command()
    async def think(self, interaction: discord.Interaction) -> None:
        """Answer later."""
        await interaction.response.defer(thinking=True)
        await interaction.edit_original_response(content="first")
        more = await interaction.followup.send("more", wait=True)
        await more.edit(content="edited")
        hidden = await interaction.followup.send("hidden", ephemeral=True, wait=True)
        assert hidden.flags.ephemeral
        original = await interaction.original_response()
        assert original.content == "first"
        await more.delete()
        await interaction.delete_original_response()

    @app_commands.command()
    async def read(self, interaction: discord.Interaction, file: discord.Attachment) -> None:
        """Describe a file."""
        text = f"{file.filename} {file.size}"
        answer = discord.File(io.BytesIO(text.encode()), "answer.txt")
        await interaction.response.send_message(file=answer, ephemeral=True)


async def test_slash_commands(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    invoker = await invoker_of(world)
    async with running(invoker.bot.token, monkeypatch, world) as client:
        tree: app_commands.CommandTree[Any] = app_commands.CommandTree(client)
        tree.add_command(Shop(name="shop", description="Shopping"))
        [shop] = await tree.sync()

        typed = subcommand("buy", option("fruit", 3, "ap", focused=True))
        await invoker.send(4, invoker.of(shop, options=[typed]))
        suggested = await invoker.client.next("APPLICATION_COMMAND_AUTOCOMPLETE_RESPONSE")
        assert suggested.d == {
            "nonce": "77",
            "choices": [
                {"name": "apple", "value": "ple"},
                {"name": "apricot", "value": "ricot"},
            ],
        }

        alice = await world.person("alice")
        bought = subcommand(
            "buy",
            option("fruit", 3, "apple"),
            option("number", 4, 3),
            option("friend", 6, alice.id),
            option("place", 7, invoker.guild.general.id),
        )
        await invoker.use(shop, options=[bought])
        sent = await invoker.message()
        assert sent["content"] == f"3 apple for {alice.name} in general"
        assert sent["type"] == 20
        assert sent["interaction"]["name"] == "shop buy"
        assert sent["interaction_metadata"]["user"]["id"] == invoker.person.id

        await invoker.use(shop, options=[subcommand("think")])
        loading = await invoker.message()
        assert loading["flags"] == 1 << 7
        changed = (await invoker.client.next("MESSAGE_UPDATE")).d
        assert (changed["id"], changed["content"]) == (loading["id"], "first")
        more = await invoker.message()
        assert more["content"] == "more"
        assert (await invoker.client.next("MESSAGE_UPDATE")).d["content"] == "edited"
        assert (await invoker.message())["content"] == "hidden"
        deleted = [(await invoker.client.next("MESSAGE_DELETE")).d["id"] for _ in range(2)]
        assert deleted == [more["id"], loading["id"]]


async def test_files_of_commands(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    invoker = await invoker_of(world)
    async with running(invoker.bot.token, monkeypatch, world) as client:
        tree: app_commands.CommandTree[Any] = app_commands.CommandTree(client)
        tree.add_command(Shop(name="shop", description="Shopping"))
        [shop] = await tree.sync()
        used = [subcommand("read", option("file", 11, "0"))]
        await invoker.use_with_file(shop, "list.txt", b"milk", options=used)
        sent = await invoker.message()
        assert sent["flags"] == 64
        [answer] = sent["attachments"]
        assert answer["filename"] == "answer.txt"
        assert (await download(world, answer["url"])).raw == b"list.txt 4"


async def test_context_menus(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    invoker = await invoker_of(world)
    async with running(invoker.bot.token, monkeypatch, world) as client:
        tree: app_commands.CommandTree[Any] = app_commands.CommandTree(client)

        @tree.context_menu(name="Who is it")
        async def show(interaction: discord.Interaction, member: discord.Member) -> None:
            await interaction.response.send_message(member.name)

        @tree.context_menu(name="Repeat")
        async def repeat(interaction: discord.Interaction, message: discord.Message) -> None:
            await interaction.response.send_message(message.content)

        synced = {command.name: command for command in await tree.sync()}
        alice = await world.person("alice")
        await invoker.use(synced["Who is it"], target_id=alice.id)
        sent = await invoker.message()
        assert (sent["content"], sent["type"]) == (alice.name, 23)
        assert sent["interaction_metadata"]["target_user"]["id"] == alice.id

        path = f"/channels/{invoker.guild.general.id}/messages"
        message = await alice.rest.post(path, {"content": "echo"})
        assert (await invoker.message())["id"] == message["id"]
        await invoker.use(synced["Repeat"], target_id=message["id"])
        sent = await invoker.message()
        assert (sent["content"], sent["type"]) == ("echo", 23)
        assert sent["interaction_metadata"]["target_message_id"] == message["id"]


class Form(ui.Modal, title="About you"):
    """A form with two texts."""

    name: ui.TextInput[Any] = ui.TextInput(label="Name", custom_id="name")
    about: ui.TextInput[Any] = ui.TextInput(
        label="About", custom_id="about", style=discord.TextStyle.long, required=False
    )

    async def on_submit(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"{self.name.value}: {self.about.value}")


class Panel(ui.View):
    """Buttons and selects."""

    def __init__(self) -> None:
        super().__init__(timeout=None)

    @ui.button(label="Count", custom_id="count")
    async def count(self, interaction: discord.Interaction, button: ui.Button[Any]) -> None:
        button.label = "1"
        await interaction.response.edit_message(content="counted", view=self)

    @ui.button(label="Form", custom_id="form")
    async def form(self, interaction: discord.Interaction, _: ui.Button[Any]) -> None:
        await interaction.response.send_modal(Form(custom_id="about you"))

    @ui.button(label="Secret", custom_id="secret")
    async def secret(self, interaction: discord.Interaction, _: ui.Button[Any]) -> None:
        await interaction.response.send_message("only you", ephemeral=True, view=Hidden())

    @ui.select(cls=ui.UserSelect, custom_id="users", max_values=2)
    async def users(self, interaction: discord.Interaction, select: ui.UserSelect[Any]) -> None:
        await interaction.response.defer()
        names = sorted(each.name for each in select.values)
        await interaction.followup.send(" and ".join(names))


class Hidden(ui.View):
    """The view of an ephemeral message."""

    @ui.button(label="Again", custom_id="again")
    async def again(self, interaction: discord.Interaction, _: ui.Button[Any]) -> None:
        await interaction.response.edit_message(content="again", view=None)


async def test_views_and_modals(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    invoker = await invoker_of(world)
    async with running(invoker.bot.token, monkeypatch, world) as client:
        # A view that is not known before is stored only after the answer to its message.
        client.add_view(Hidden(timeout=None))
        channel: Any = client.get_channel(int(invoker.guild.general.id))
        await channel.send("panel", view=Panel())
        panel = await invoker.message()

        await invoker.press(panel, "count")
        changed = (await invoker.client.next("MESSAGE_UPDATE")).d
        assert changed["content"] == "counted"
        assert changed["components"][0]["components"][0]["label"] == "1"

        alice = await world.person("alice")
        chosen = [alice.id, invoker.person.id]
        await invoker.press(panel, "users", 5, values=chosen, type=5)
        followed = await invoker.message()
        assert followed["content"] == " and ".join(sorted([alice.name, invoker.person.name]))

        await invoker.press(panel, "form")
        modal = (await invoker.client.next("INTERACTION_MODAL_CREATE")).d
        assert (modal["title"], modal["custom_id"]) == ("About you", "about you")
        assert modal["application"]["id"] == invoker.bot.id
        rows = [
            {"type": 1, "components": [{"type": 4, "custom_id": name, "value": value}]}
            for name, value in (("name", "Bob"), ("about", "builds"))
        ]
        submitted = {"id": modal["id"], "custom_id": "about you", "components": rows}
        await invoker.send(5, submitted)
        assert (await invoker.message())["content"] == "Bob: builds"

        await invoker.press(panel, "secret")
        secret = await invoker.message()
        assert (secret["content"], secret["flags"]) == ("only you", 64)
        await invoker.press(secret, "again")
        changed = (await invoker.client.next("MESSAGE_UPDATE")).d
        assert (changed["id"], changed["content"]) == (secret["id"], "again")
        assert changed["components"] == []

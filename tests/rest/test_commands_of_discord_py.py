"""discord.py's application commands work here when only its addresses are changed."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Literal

import discord
import pytest
from discord import app_commands

from tests.helpers.discord_py import running
from tests.world import TIMEOUT_S, World


class German(app_commands.Translator):
    """Translates some texts into German."""

    async def translate(
        self,
        string: app_commands.locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContextTypes,
    ) -> str | None:
        known = {"roll": "würfeln", "sides": "seiten", "One": "Eins"}
        return known.get(string.message) if locale is discord.Locale.german else None


Interaction = discord.Interaction[discord.Client]


@app_commands.command(description="Rolls a die")
@app_commands.describe(sides="How many sides")
@app_commands.choices(times=[app_commands.Choice(name="One", value=1)])
@app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
@app_commands.allowed_installs(guilds=True, users=True)
async def roll(
    interaction: Interaction,
    sides: app_commands.Range[int, 2, 100],
    times: int = 1,
    mood: Literal["good", "bad"] = "good",
) -> None:
    """A command with bounds and choices."""


@app_commands.command(description="Shows where something is")
@app_commands.default_permissions(manage_messages=True)
@app_commands.guild_only()
async def where(
    interaction: Interaction,
    channel: discord.TextChannel,
    who: discord.User | discord.Role,
    ratio: float,
    file: discord.Attachment,
) -> None:
    """A command with options of many types."""


@where.autocomplete("ratio")
async def complete(interaction: Interaction, current: str) -> list[app_commands.Choice[float]]:
    """An option with autocompletion."""
    return []


@app_commands.context_menu(name="High Five")
async def high_five(interaction: Interaction, user: discord.User) -> None:
    """A command in the menu of users."""


@app_commands.context_menu(name="Bookmark this")
async def bookmark(interaction: Interaction, message: discord.Message) -> None:
    """A command in the menu of messages."""


class Permit(app_commands.Group, name="permit", description="Permissions"):
    """A group with a command and another group."""

    users = app_commands.Group(name="users", description="Of users")

    @app_commands.command(description="Lists them")
    async def show(self, interaction: Interaction) -> None:
        """A subcommand."""

    @users.command(description="Adds one")
    async def add(self, interaction: Interaction, who: discord.Member) -> None:
        """A subcommand in a group."""


def tree_of(client: discord.Client) -> app_commands.CommandTree[discord.Client]:
    tree = app_commands.CommandTree(client)
    several: list[Any] = [roll, where, high_five, bookmark, Permit()]
    for command in several:
        tree.add_command(command)
    return tree


async def test_command_tree(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", "alice", guild)
    with caplog.at_level(logging.WARNING, "discord"):
        async with running(bot.token, monkeypatch, world) as client:
            tree = tree_of(client)
            await tree.set_translator(German())
            synced = {each.name: each for each in await tree.sync()}
            assert synced.keys() == {"roll", "where", "High Five", "Bookmark this", "permit"}
            _check_roll(synced["roll"])
            stored = await bot.rest.get(f"/applications/{bot.id}/commands/{synced['roll'].id}")
            assert (stored["contexts"], stored["integration_types"]) == ([0, 1, 2], [0, 1])
            _check_where(synced["where"])
            _check_group(synced["permit"])
            assert synced["High Five"].type is discord.AppCommandType.user
            again = {each.id for each in await tree.sync()}
            assert again == {each.id for each in synced.values()}
            fetched = await tree.fetch_commands()
            assert sorted(each.name for each in fetched) == sorted(synced)
            await _check_editing(tree, synced["roll"])
            there = client.get_guild(int(guild.id))
            assert there is not None
            await _check_guild(tree, there)
            await _check_permissions(tree, there, synced["where"], guild.owner.rest)
    found = [each.getMessage() for each in caplog.records if each.name.startswith("discord")]
    assert [each for each in found if "voice" not in each] == []


def _check_roll(command: app_commands.AppCommand) -> None:
    assert command.name_localizations == {discord.Locale.german: "würfeln"}
    sides, times, mood = [_argument(each) for each in command.options]
    assert (sides.required, sides.min_value, sides.max_value) == (True, 2, 100)
    assert sides.name_localizations == {discord.Locale.german: "seiten"}
    assert [(each.name, each.value) for each in times.choices] == [("One", 1)]
    assert times.choices[0].name_localizations == {discord.Locale.german: "Eins"}
    assert [each.value for each in mood.choices] == ["good", "bad"]


def _check_where(command: app_commands.AppCommand) -> None:
    assert command.default_member_permissions == discord.Permissions(manage_messages=True)
    channel, who, ratio, file = [_argument(each) for each in command.options]
    assert channel.channel_types == [discord.ChannelType.text, discord.ChannelType.news]
    assert who.type is discord.AppCommandOptionType.mentionable
    assert ratio.autocomplete
    assert file.type is discord.AppCommandOptionType.attachment


def _check_group(command: app_commands.AppCommand) -> None:
    inner = {each.name: each for each in command.options}
    assert inner["show"].type is discord.AppCommandOptionType.subcommand
    users = inner["users"]
    assert isinstance(users, app_commands.AppCommandGroup)
    [add] = users.options
    assert isinstance(add, app_commands.AppCommandGroup)
    assert [each.name for each in add.options] == ["who"]


async def _check_editing(
    tree: app_commands.CommandTree[discord.Client], command: app_commands.AppCommand
) -> None:
    edited = await command.edit(description="Rolls dice")
    assert (await tree.fetch_command(command.id)).description == edited.description == "Rolls dice"
    await command.delete()
    with pytest.raises(discord.NotFound) as gone:
        await tree.fetch_command(command.id)
    assert gone.value.code == 10063


async def _check_guild(
    tree: app_commands.CommandTree[discord.Client], guild: discord.Guild
) -> None:
    tree.copy_global_to(guild=guild)
    synced = await tree.sync(guild=guild)
    assert {each.guild_id for each in synced} == {guild.id}
    assert len(await tree.fetch_commands(guild=guild)) == 5
    tree.clear_commands(guild=guild)
    assert await tree.sync(guild=guild) == []


async def _check_permissions(
    tree: app_commands.CommandTree[discord.Client],
    guild: discord.Guild,
    command: app_commands.AppCommand,
    owner: Any,
) -> None:
    with pytest.raises(discord.NotFound):
        await command.fetch_permissions(guild)
    received = asyncio.create_task(
        tree.client.wait_for("raw_app_command_permissions_update", timeout=TIMEOUT_S)
    )
    await asyncio.sleep(0)
    everyone = {"id": str(guild.id), "type": 1, "permission": False}
    path = f"/applications/{command.application_id}/guilds/{guild.id}/commands/{command.id}"
    await owner.put(f"{path}/permissions", {"permissions": [everyone]})
    assert (await received).target_id == command.id
    fetched = await command.fetch_permissions(guild)
    assert [(each.target, each.permission) for each in fetched.permissions] == [
        (guild.default_role, False)
    ]


def _argument(option: object) -> app_commands.Argument:
    assert isinstance(option, app_commands.Argument)
    return option

"""Which commands people may invoke, and where."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from chatd.core.commands import InteractionContext
from chatd.core.errors import ApiError, InvalidForm, MissingPermissions, UnknownCommand
from chatd.core.ids import ChannelId, CommandId, GuildId, UserId
from chatd.core.installation import IntegrationType
from chatd.core.permissions import Permissions as P
from chatd.db.pool import Database
from chatd.queries import integrations
from chatd.services.access import access
from chatd.services.commands.invocation import UsableCommand, find_for_invocation
from tests.helpers.commands import Commands
from tests.world import Person, World

Find = Callable[..., Awaitable[UsableCommand]]
GUILD_INSTALL, USER_INSTALL = [frozenset({each}) for each in IntegrationType]


@pytest.fixture
async def find(database: Database) -> AsyncIterator[Find]:
    """Find a command of a bot for a person in a channel."""

    async def run(
        person: Person, channel_id: str, bot: Person, command_id: str, **options: Any
    ) -> UsableCommand:
        user_id = UserId(int(person.id))
        async with database.cursor() as cur:
            granted = await access.channel(cur, user_id, ChannelId(int(channel_id)))
            return await find_for_invocation(
                cur,
                granted,
                user_id,
                UserId(int(bot.id)),
                CommandId(int(command_id)),
                **options,
            )

    yield run


async def refused(found: Awaitable[UsableCommand]) -> type[ApiError]:
    with pytest.raises(ApiError) as raised:
        await found
    return type(raised.value)


async def test_in_a_guild(world: World, find: Find) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob, channel = await world.person("bob"), guild.general.id
    bot, other = [await world.bot(name, "alice", guild) for name in ("bot", "other")]
    elsewhere = await world.guild(owner="alice")
    await elsewhere.owner.rest.put(f"/guilds/{elsewhere.id}/members/{bot.id}")
    ping = await Commands(bot).add("ping")
    usable = await find(bob, channel, bot, ping)
    assert (usable.command.name, usable.context) == ("ping", InteractionContext.GUILD)
    assert usable.installations == GUILD_INSTALL
    here = await Commands(bot, guild).add("here")
    assert (await find(bob, channel, bot, here)).command.guild_id == int(guild.id)
    there = await Commands(bot, elsewhere).add("there")
    only_dms = await Commands(bot).add("dms", contexts=[1])
    for unknown in (there, only_dms, "1"):
        assert await refused(find(bob, channel, bot, unknown)) is UnknownCommand
    assert await refused(find(bob, channel, other, ping)) is UnknownCommand
    await guild.owner.rest.delete(f"/guilds/{guild.id}/members/{bot.id}")
    for gone in (ping, here):
        assert await refused(find(bob, channel, bot, gone)) is UnknownCommand


async def test_with_an_old_version(world: World, find: Find) -> None:
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", "alice", guild)
    commands = Commands(bot)
    made = await commands.rest.post(commands.path, {"name": "ping", "description": "x"})
    for version, known in ((int(made["version"]), True), (1, False)):
        found = find(guild.owner, guild.general.id, bot, made["id"], version=version)
        if known:
            assert (await found).command.version == version
        else:
            assert await refused(found) is InvalidForm


async def test_without_permission(world: World, find: Find) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob, channel = await world.person("bob"), guild.general.id
    bot = await world.bot("bot", "alice", guild)
    admins = await Commands(bot).add("admins", default_member_permissions="0")
    nsfw = await Commands(bot).add("nsfw", nsfw=True)
    ping = await Commands(bot).add("ping")
    for command in (admins, nsfw):
        assert await refused(find(bob, channel, bot, command)) is MissingPermissions
    assert (await find(guild.owner, channel, bot, admins)).command.name == "admins"
    assert await refused(find(guild.owner, channel, bot, nsfw)) is MissingPermissions
    await guild.owner.rest.patch(f"/channels/{channel}", {"nsfw": True})
    assert (await find(bob, channel, bot, nsfw)).command.nsfw
    path = f"/applications/{bot.id}/guilds/{guild.id}/commands"
    denied = {"permissions": [{"id": channel, "type": 3, "permission": False}]}
    await guild.owner.rest.put(f"{path}/{bot.id}/permissions", denied)
    assert await refused(find(bob, channel, bot, ping)) is MissingPermissions
    await guild.owner.rest.put(f"{path}/{bot.id}/permissions", {"permissions": []})
    await find(bob, channel, bot, ping)
    for missing in (P.USE_APPLICATION_COMMANDS, P.SEND_MESSAGES):
        deny = {"type": 0, "deny": str(missing.value)}
        await guild.owner.rest.put(f"/channels/{channel}/permissions/{guild.id}", deny)
        assert await refused(find(bob, channel, bot, ping)) is MissingPermissions


async def test_in_private_channels(world: World, find: Find) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    alice, bob = await world.friends("alice", "bob")
    bot, other = [await world.bot(name, "alice", guild) for name in ("bot", "other")]
    dm = (await bob.rest.post("/users/@me/channels", {"recipient_id": bot.id}))["id"]
    between = (await bob.rest.post("/users/@me/channels", {"recipient_id": alice.id}))["id"]
    ping = await Commands(bot).add("ping")
    usable = await find(bob, dm, bot, ping)
    assert (usable.context, usable.installations) == (InteractionContext.BOT_DM, GUILD_INSTALL)
    assert await refused(find(bob, between, bot, ping)) is UnknownCommand
    guilds = await Commands(bot).add("guilds", contexts=[0])
    here = await Commands(bot, guild).add("here")
    of_other = await Commands(other).add("ping")
    assert await refused(find(bob, dm, bot, guilds)) is UnknownCommand
    assert await refused(find(bob, dm, bot, here)) is UnknownCommand
    assert await refused(find(bob, dm, other, of_other)) is UnknownCommand
    nsfw = await Commands(bot).add("nsfw", nsfw=True)
    assert await refused(find(bob, dm, bot, nsfw)) is MissingPermissions


async def test_installed_by_the_person(world: World, find: Find, database: Database) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    alice, bob = await world.friends("alice", "bob")
    bot, channel = await world.bot("bot", "alice"), guild.general.id
    between = (await bob.rest.post("/users/@me/channels", {"recipient_id": alice.id}))["id"]
    ping = await Commands(bot).add("ping")
    only_guilds = await Commands(bot).add("guilds", integration_types=[0])
    admins = await Commands(bot).add("admins", default_member_permissions="0")
    path = "/users/@me/application-command-index"
    assert (await bob.rest.get(path))["application_commands"] == []
    async with database.cursor() as cur:
        await integrations.insert_for_user(cur, UserId(int(bob.id)), UserId(int(bot.id)))
    for place, context in (
        (channel, InteractionContext.GUILD),
        (between, InteractionContext.PRIVATE_CHANNEL),
    ):
        usable = await find(bob, place, bot, ping)
        assert (usable.context, usable.installations) == (context, USER_INSTALL)
        assert await refused(find(bob, place, bot, only_guilds)) is UnknownCommand
        assert await refused(find(alice, place, bot, ping)) is UnknownCommand
    # The guild has no say in what its members have installed for themselves.
    assert (await find(bob, channel, bot, admins)).installations == USER_INSTALL
    index = await bob.rest.get(path)
    assert sorted(each["name"] for each in index["application_commands"]) == ["admins", "ping"]
    assert [each["id"] for each in index["applications"]] == [bot.id]


async def test_installed_without_the_bot(world: World, find: Find, database: Database) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    bot, channel = await world.bot("bot", "alice"), guild.general.id
    here = Commands(bot, guild)
    refusal = await here.rest.call("POST", here.path, {"name": "ping", "description": "x"})
    assert (refusal.status, refusal.code) == (403, 50001)
    async with database.cursor() as cur:
        await integrations.put(
            cur,
            GuildId(int(guild.id)),
            UserId(int(bot.id)),
            bot=False,
            added_by=UserId(int(bob.id)),
        )
    ping = await here.add("ping")
    assert (await find(bob, channel, bot, ping)).installations == GUILD_INSTALL
    index = await bob.rest.get(f"/guilds/{guild.id}/application-command-index")
    assert [each["id"] for each in index["application_commands"]] == [ping]

"""The commands that people's clients list: those that the person can use there."""

from __future__ import annotations

from typing import Any

import pytest

from chatd.core.permissions import Permissions as P
from chatd.services.commands import command_index as service
from tests.helpers.commands import Commands
from tests.helpers.roles import assign_roles, create_role
from tests.world import Guild, Person, World, like


def names(index: Any) -> list[str]:
    return sorted(each["name"] for each in index["application_commands"])


async def in_guild(person: Person, guild: Guild) -> Any:
    return await person.rest.get(f"/guilds/{guild.id}/application-command-index")


async def in_channel(person: Person, channel_id: str) -> Any:
    return await person.rest.get(f"/channels/{channel_id}/application-command-index")


async def test_index_of_a_guild(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bot, elsewhere = await world.bot("bot", "alice", guild), await world.bot("other", "alice")
    bob = await world.person("bob")
    before = await in_guild(bob, guild)
    assert before == like(applications=[], application_commands=[])
    everywhere, here = Commands(bot), Commands(bot, guild)
    made = await everywhere.rest.post(
        everywhere.path, {"name": "ping", "description": "x", "contexts": [0, 1]}
    )
    await here.add("here")
    await Commands(elsewhere).add("elsewhere")
    index = await in_guild(bob, guild)
    assert names(index) == ["here", "ping"]
    assert index["applications"] == [
        like(id=bot.id, bot_id=bot.id, icon=None, flags="847872", permissions={})
    ]
    [ping] = [each for each in index["application_commands"] if each["name"] == "ping"]
    assert ping == like(
        id=made["id"],
        version=made["version"],
        application_id=bot.id,
        type=1,
        contexts=[0, 1],
        dm_permission=True,
        permissions={},
    )
    assert int(index["version"]) > int(made["version"]) > int(before["version"])
    await here.rest.put(here.path, [])
    after = await in_guild(bob, guild)
    assert int(after["version"]) > int(index["version"])


async def test_only_usable_commands_are_listed(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bot = Commands(await world.bot("bot", "alice", guild))
    several: dict[str, dict[str, Any]] = {
        "all": {},
        "admins": {"default_member_permissions": "0"},
        "kickers": {"default_member_permissions": str(P.KICK_MEMBERS.value)},
        "dms": {"contexts": [1]},
        "users": {"integration_types": [1]},
        "nsfw": {"nsfw": True},
        "denied": {},
        "allowed": {"default_member_permissions": "0"},
    }
    for name, fields in several.items():
        command = await bot.add(name, **fields)
        if name in ("denied", "allowed"):
            target = {"id": guild.id, "type": 1, "permission": name == "allowed"}
            path = f"/applications/{bot.bot.id}/guilds/{guild.id}/commands/{command}/permissions"
            await guild.owner.rest.put(path, {"permissions": [target]})
    bob = await world.person("bob")
    assert names(await in_guild(bob, guild)) == ["all", "allowed", "nsfw"]
    assert names(await in_channel(bob, guild.general.id)) == ["all", "allowed"]
    usable = ["admins", "all", "allowed", "denied", "kickers", "nsfw"]
    assert names(await in_guild(guild.owner, guild)) == usable
    role = await create_role(guild, "kickers", int(P.KICK_MEMBERS))
    await assign_roles(world, guild, "bob", role)
    assert names(await in_guild(bob, guild)) == ["all", "allowed", "kickers", "nsfw"]
    await guild.owner.rest.patch(f"/channels/{guild.general.id}", {"nsfw": True})
    assert "nsfw" in names(await in_channel(bob, guild.general.id))
    everyone = {"permissions": str(P.VIEW_CHANNEL.value)}
    await guild.owner.rest.patch(f"/guilds/{guild.id}/roles/{guild.id}", everyone)
    assert names(await in_guild(bob, guild)) == []


async def test_overwrites_of_the_caller_are_shown(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    bob, carol = await world.people("bob", "carol")
    bot = Commands(await world.bot("bot", "alice", guild))
    command = await bot.add("ping")
    hidden = {"id": guild.id, "type": 0, "deny": str(P.VIEW_CHANNEL.value)}
    staff = await guild.channel("staff", permission_overwrites=[hidden])
    own, other = [await create_role(guild, name) for name in ("own", "other")]
    await assign_roles(world, guild, "bob", own)
    everywhere = str(int(guild.id) - 1)
    targets = {
        1: [guild.id, own, other],
        2: [bob.id, carol.id],
        3: [guild.general.id, staff.id, everywhere],
    }
    overwrites = [
        {"id": target, "type": kind, "permission": True}
        for kind, several in targets.items()
        for target in several
    ]
    path = f"/applications/{bot.bot.id}/guilds/{guild.id}/commands"
    for target in (command, bot.bot.id):
        await guild.owner.rest.put(f"{path}/{target}/permissions", {"permissions": overwrites})
    index = await in_guild(bob, guild)
    shown = {
        "user": True,
        "roles": {guild.id: True, own: True},
        "channels": {guild.general.id: True, everywhere: True},
    }
    assert index["application_commands"][0]["permissions"] == shown
    assert index["applications"][0]["permissions"] == shown


async def test_denied_channels(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    bot = Commands(await world.bot("bot", "alice", guild))
    command = await bot.add("ping")
    denied = {"id": guild.general.id, "type": 3, "permission": False}
    path = f"/applications/{bot.bot.id}/guilds/{guild.id}/commands/{command}/permissions"
    await guild.owner.rest.put(path, {"permissions": [denied]})
    other = await guild.channel("other")
    assert names(await in_guild(bob, guild)) == ["ping"]
    assert names(await in_channel(bob, guild.general.id)) == []
    assert names(await in_channel(bob, other.id)) == ["ping"]


async def test_index_of_private_channels(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    alice, bob, carol = await world.friends("alice", "bob", "carol")
    bot = await world.bot("bot", "alice", guild)
    several: dict[str, dict[str, Any]] = {
        "all": {},
        "guilds": {"contexts": [0]},
        "old": {"dm_permission": False},
        "nsfw": {"nsfw": True},
        "admins": {"default_member_permissions": "0"},
    }
    for name, fields in several.items():
        await Commands(bot).add(name, **fields)
    await Commands(bot, guild).add("here")
    dm = await bob.rest.post("/users/@me/channels", {"recipient_id": bot.id})
    index = await in_channel(bob, dm["id"])
    assert names(index) == ["admins", "all"]
    assert index["applications"] == [like(id=bot.id)]
    assert "permissions" not in index["application_commands"][0]
    for recipients in ([bob.id], [bob.id, carol.id]):
        channel = await alice.rest.post("/users/@me/channels", {"recipients": recipients})
        assert names(await in_channel(alice, channel["id"])) == []
    of_application = await bob.rest.get(f"/applications/{bot.id}/application-command-index")
    assert names(of_application) == ["admins", "all"]
    gone = await bob.rest.call("GET", f"/applications/{bob.id}/application-command-index")
    assert (gone.status, gone.code) == (404, 10002)
    assert names(await bob.rest.get("/users/@me/application-command-index")) == []


async def test_texts_are_translated(world: World) -> None:
    guild = await world.guild(owner="alice")
    bot = Commands(await world.bot("bot", "alice", guild))
    option = {"type": 3, "name": "word", "description": "x", "name_localizations": {"de": "wort"}}
    await bot.add("ping", name_localizations={"de": "klingeln"}, options=[option])
    path = f"/guilds/{guild.id}/application-command-index"
    german = await guild.owner.rest.call("GET", path, headers={"X-Discord-Locale": "de"})
    [command] = german.json["application_commands"]
    assert command == like(name="klingeln", name_default="ping", description="Answers")
    assert command["options"] == [
        {"type": 3, "name": "wort", "name_default": "word", "description": "x"}
    ]
    [plain] = (await guild.owner.rest.get(path))["application_commands"]
    assert plain["name"] == "ping"
    assert "name_default" not in plain


async def test_index_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    guild = await world.guild(owner="alice")
    bots = [Commands(await world.bot(f"bot{n}", "alice", guild)) for n in (0, 1)]
    for bot in bots:
        for name in ("a", "b"):
            await bot.add(name, options=[{"type": 3, "name": "x", "description": "x" * 90}])
    assert len((await in_guild(guild.owner, guild))["application_commands"]) == 4
    monkeypatch.setattr(service, "MAX_COMMANDS", 3)
    assert len((await in_guild(guild.owner, guild))["application_commands"]) == 3
    monkeypatch.setattr(service, "MAX_BYTES", 300)
    index = await in_guild(guild.owner, guild)
    assert [each["application_id"] for each in index["application_commands"]] == [
        bots[0].bot.id
    ] * 2
    assert [each["id"] for each in index["applications"]] == [bots[0].bot.id]


async def test_search(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    bot, other = [Commands(await world.bot(n, "alice", guild)) for n in ("bot", "other")]
    ids = {name: await bot.add(name) for name in ("ban", "unban", "ping")}
    await bot.rest.post(bot.path, {"type": 2, "name": "Ban"})
    await other.add("banner")
    path = f"/channels/{guild.general.id}/application-commands/search"

    async def found(query: str) -> Any:
        return await bob.rest.get(f"{path}?{query}")

    assert names(await found("")) == ["ban", "banner", "ping", "unban"]
    assert names(await found("type=1&query=BAN")) == ["ban", "banner", "unban"]
    assert names(await found("type=2")) == ["Ban"]
    assert names(await found(f"application_id={other.bot.id}")) == ["banner"]
    assert names(await found(f"command_ids={ids['ban']},{ids['ping']}")) == ["ban", "ping"]
    assert (await found("query=ban"))["applications"] == []
    assert [each["id"] for each in (await found("include_applications=true"))["applications"]] == [
        bot.bot.id,
        other.bot.id,
    ]
    first = await found("limit=3")
    assert (len(names(first)), first["cursor"]) == (
        3,
        {"previous": None, "next": "3", "repaired": None},
    )
    second = await found("limit=3&cursor=3")
    assert (len(names(second)), second["cursor"]) == (
        1,
        {"previous": "0", "next": None, "repaired": None},
    )
    refused = await bob.rest.call("GET", f"{path}?limit=101")
    assert (refused.status, refused.code) == (400, 50035)

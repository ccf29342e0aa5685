"""Application commands: creating, changing, overwriting and deleting them."""

from __future__ import annotations

import asyncio

from chatd.db.pool import Database
from tests.helpers.commands import PING, Commands, code, menu
from tests.helpers.pending_deletions import count
from tests.world import TIMEOUT_S, World, like


async def test_creating_getting_changing_and_deleting(commands: Commands) -> None:
    created = await commands.rest.call("POST", commands.path, PING)
    assert created.status == 201
    made = created.json
    assert made == like(
        **PING, type=1, default_member_permissions=None, nsfw=False, name_localizations=None
    )
    assert "options" not in made
    one = f"{commands.path}/{made['id']}"
    assert await commands.rest.get(one) == made
    changed = await commands.rest.patch(one, {"description": "Says pong", "nsfw": True})
    assert changed == {
        **made,
        "description": "Says pong",
        "nsfw": True,
        "version": changed["version"],
    }
    assert int(changed["version"]) > int(made["version"])
    assert await commands.rest.get(commands.path) == [
        {key: each for key, each in changed.items() if not key.endswith("_localizations")}
    ]
    await commands.rest.delete(one)
    assert await commands.names() == []
    for method in ("GET", "PATCH", "DELETE"):
        gone = await commands.rest.call(method, one, {} if method == "PATCH" else None)
        assert (gone.status, gone.code) == (404, 10063)


async def test_same_name_replaces_the_command(commands: Commands) -> None:
    first = await commands.rest.post(commands.path, PING)
    other = await commands.rest.post(commands.path, menu(2, "ping"))
    replaced = await commands.rest.call("POST", commands.path, {**PING, "description": "New"})
    assert replaced.status == 200
    assert replaced.json == like(id=first["id"], description="New")
    assert other["id"] != first["id"]
    assert len(await commands.rest.get(commands.path)) == 2


async def test_unchanged_command_keeps_its_version(commands: Commands) -> None:
    first = await commands.rest.post(commands.path, PING)
    assert await commands.rest.post(commands.path, PING) == first
    assert await commands.rest.patch(f"{commands.path}/{first['id']}", {"nsfw": False}) == first
    assert await commands.rest.put(commands.path, [PING]) == [first]


async def test_overwriting_keeps_ids_and_deletes_the_rest(commands: Commands) -> None:
    before = await commands.rest.put(
        commands.path, [PING, {**PING, "name": "old"}, menu(2, "ping"), menu(3, "Bookmark")]
    )
    assert [each["name"] for each in before] == ["ping", "old", "ping", "Bookmark"]
    after = await commands.rest.put(
        commands.path, [menu(3, "Bookmark"), {**PING, "description": "New"}, {**PING, "name": "z"}]
    )
    assert after[0] == before[3]
    assert after[1] == like(id=before[0]["id"], description="New")
    assert after[1]["version"] != before[0]["version"]
    assert after[2]["id"] not in [each["id"] for each in before]
    assert await commands.names() == ["Bookmark", "ping", "z"]
    assert await commands.rest.put(commands.path, []) == []
    assert await commands.names() == []


async def test_overwriting_by_id_exchanges_names(commands: Commands) -> None:
    first, second = await commands.rest.put(commands.path, [PING, {**PING, "name": "pong"}])
    renamed = await commands.rest.put(
        commands.path,
        [{**PING, "name": "pong", "id": first["id"]}, {**PING, "name": "ping", "id": second["id"]}],
    )
    assert [(each["id"], each["name"]) for each in renamed] == [
        (first["id"], "pong"),
        (second["id"], "ping"),
    ]
    assert await commands.names() == ["ping", "pong"]


async def test_overwriting_is_atomic(commands: Commands) -> None:
    await commands.rest.put(commands.path, [PING])
    refused = await commands.refused([{**PING, "name": "new"}, {**PING, "name": "Bad"}], "PUT")
    assert code(refused, "1", "name") == "APPLICATION_COMMAND_INVALID_NAME"
    refused = await commands.refused([PING, menu(2, "ping"), PING], "PUT")
    assert code(refused, "2") == "APPLICATION_COMMANDS_DUPLICATE_NAME"
    assert await commands.names() == ["ping"]


async def test_renaming_to_an_existing_name_is_refused(commands: Commands) -> None:
    await commands.rest.post(commands.path, PING)
    other = await commands.rest.post(commands.path, {**PING, "name": "pong"})
    refused = await commands.rest.call("PATCH", f"{commands.path}/{other['id']}", {"name": "ping"})
    assert (refused.status, refused.code) == (400, 40041)
    assert await commands.names() == ["ping", "pong"]


async def test_scopes_are_separate(world: World) -> None:
    guild, other = [await world.guild(owner="alice") for _ in "12"]
    bot = await world.bot("bot", "alice", guild, other)
    everywhere, here, there = Commands(bot), Commands(bot, guild), Commands(bot, other)
    ids = set()
    for each in (everywhere, here, there):
        made = await each.rest.post(each.path, PING)
        ids.add(made["id"])
        for scope in (everywhere, here, there):
            status = (await bot.rest.call("GET", f"{scope.path}/{made['id']}")).status
            assert status == (200 if scope is each else 404)
    assert len(ids) == 3
    await here.rest.put(here.path, [])
    assert await everywhere.names() == await there.names() == ["ping"]
    foreign = Commands(await world.bot("other", "alice", guild), guild)
    await foreign.rest.post(foreign.path, PING)
    await foreign.rest.put(foreign.path, [])
    assert await there.names() == ["ping"]


async def test_concurrent_upserts_of_one_name_make_one_command(commands: Commands) -> None:
    answers = await asyncio.gather(
        *(
            commands.rest.call("POST", commands.path, {**PING, "description": f"{n}"})
            for n in range(4)
        )
    )
    assert sorted(each.status for each in answers) == [200, 200, 200, 201]
    assert len({each.json["id"] for each in answers}) == 1
    [left] = await commands.rest.get(commands.path)
    assert left["description"] in {each.json["description"] for each in answers}


async def test_overwriting_races_creating(commands: Commands) -> None:
    """Whichever comes first: the list is that of the overwrite, or has the created one as well."""
    created, overwritten = await asyncio.gather(
        commands.rest.call("POST", commands.path, PING),
        commands.rest.call("PUT", commands.path, [{**PING, "name": "pong"}]),
    )
    assert (created.status, overwritten.status) == (201, 200)
    assert await commands.names() in (["pong"], ["ping", "pong"])


async def test_commands_of_a_guild_end_with_the_membership(world: World) -> None:
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", "alice", guild)
    here, everywhere = Commands(bot, guild), Commands(bot)
    await here.rest.post(here.path, PING)
    await everywhere.rest.post(everywhere.path, PING)
    await guild.owner.rest.delete(f"/guilds/{guild.id}/members/{bot.id}")
    refused = await bot.rest.call("GET", here.path)
    assert (refused.status, refused.code) == (403, 50001)
    await guild.owner.rest.put(f"/guilds/{guild.id}/members/{bot.id}")
    assert await here.names() == []
    assert await everywhere.names() == ["ping"]


async def test_commands_of_a_deleted_guild_are_gone(world: World) -> None:
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", "alice", guild)
    here = Commands(bot, guild)
    made = await here.rest.post(here.path, PING)
    await guild.owner.rest.delete(f"/guilds/{guild.id}")
    for method, path in (
        ("GET", here.path),
        ("PUT", here.path),
        ("GET", f"{here.path}/{made['id']}"),
    ):
        gone = await bot.rest.call(method, path, [] if method == "PUT" else None)
        assert (gone.status, gone.code) == (404, 10004)


async def test_deleting_an_application_deletes_its_commands(
    world: World, database: Database
) -> None:
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", "alice", guild)
    for scope in (Commands(bot), Commands(bot, guild)):
        await scope.rest.post(scope.path, PING)
    await guild.owner.rest.delete(f"/applications/{bot.id}")
    gone = await guild.owner.rest.call("GET", f"/applications/{bot.id}/commands")
    assert (gone.status, gone.code) == (404, 10002)
    async with asyncio.timeout(TIMEOUT_S):
        for table in ("application_commands", "application_command_scopes"):
            while await count(database, table, application_id=int(bot.id)):
                await asyncio.sleep(0.05)


async def test_people_have_no_commands(world: World) -> None:
    mallory = await world.person("mallory")
    for application_id in (mallory.id, "1"):
        gone = await mallory.rest.call("GET", f"/applications/{application_id}/commands")
        assert (gone.status, gone.code) == (404, 10002)


async def test_people_learn_of_changed_commands_of_a_guild(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    (bob,) = await world.online("bob")
    bot = await world.bot("bot", "alice", guild)
    name = "GUILD_APPLICATION_COMMAND_INDEX_UPDATE"
    assert (await bob.next(name)).d == {"guild_id": guild.id}
    here = Commands(bot, guild)
    (listener,) = await world.online("bot")
    made = await here.rest.post(here.path, PING)
    assert (await bob.next(name)).d == {"guild_id": guild.id, "version": made["version"]}
    await here.rest.post(here.path, PING)  # changes nothing
    await here.rest.patch(f"{here.path}/{made['id']}", {"nsfw": True})
    await here.rest.put(here.path, [{**PING, "name": "pong"}])
    versions = [each.d["version"] for each in await bob.received_before_fence()]
    assert len(set(versions)) == 2
    assert await listener.received_before_fence() == []
    await guild.owner.rest.delete(f"/guilds/{guild.id}/members/{bot.id}")
    assert (await bob.next(name)).d == {"guild_id": guild.id}

"""chatd guild: its changes take effect on every instance at once."""

from __future__ import annotations

from tests.cli.conftest import Chatd
from tests.conftest import ServeMore
from tests.helpers.databases import NewDatabase
from tests.world import World, like, world_on


async def test_guild_transfer_reaches_every_instance(
    world: World, serve_more: ServeMore, chatd: Chatd
) -> None:
    guild = await world.guild(owner="ada", members=["bob"])
    ada, bob = await world.people("ada", "bob")
    await chatd.well("user", "disable", ada.name)
    async with (
        serve_more(worker_id=1) as other,
        world_on(other.url, other.gateway_url) as there,
    ):
        there.share_people(world)
        [client] = await there.online("bob")
        said = await chatd.well("guild", "transfer", guild.id, bob.name, "--yes")
        assert said.output == f"Transferred ada's guild to {bob.name}.\n"
        assert (await client.next("GUILD_UPDATE")).d == like(owner_id=bob.id)
        log = await there.rest("bob").get(f"/guilds/{guild.id}/audit-logs")
        [entry] = [each for each in log["audit_log_entries"] if each["action_type"] == 1][:1]
        assert entry == like(
            user_id=ada.id, reason="By the operator of the server, on the command line"
        )
        await there.rest("bob").patch(f"/guilds/{guild.id}", {"name": "bob's now"})


async def test_guild_transfer_needs_a_member(world: World, chatd: Chatd) -> None:
    guild = await world.guild(owner="ada")
    bob = await world.person("bob")
    line = await chatd.refused("guild", "transfer", guild.id, bob.name, "--yes")
    assert "Not a person who is a member of this guild." in line


async def test_guild_deletion_reaches_every_instance(
    world: World, serve_more: ServeMore, chatd: Chatd
) -> None:
    guild = await world.guild(owner="ada", members=["bob"])
    async with (
        serve_more(worker_id=1) as other,
        world_on(other.url, other.gateway_url) as there,
    ):
        there.share_people(world)
        [here], [client] = await world.online("bob"), await there.online("bob")
        assert "--yes" in await chatd.refused("guild", "delete", guild.id, code=2)
        await chatd.well("guild", "delete", guild.id, "--yes")
        for each in (here, client):
            assert (await each.next("GUILD_DELETE")).d["id"] == guild.id
        assert (await there.rest("ada").call("GET", f"/guilds/{guild.id}")).status == 404
    line = await chatd.refused("guild", "delete", guild.id, "--yes")
    assert line == f"chatd: There is no guild '{guild.id}'."


async def test_show_and_list_guilds(world: World, chatd: Chatd) -> None:
    guild = await world.guild(owner="ada", members=["bob"])
    ada = await world.person("ada")
    assert await chatd.json("guild", "show", guild.id) == like(
        id=guild.id, name="ada's guild", owner=ada.name, members=2, channels=1, invites=1
    )
    await ada.rest.patch(f"/guilds/{guild.id}", {"name": "an unlikely name"})
    found = await chatd.well("guild", "list", "UNLIKELY")
    assert found.rows == [[guild.id, "an unlikely name", ada.name, "2", "1", "1"]]


async def test_stats_count_accounts_and_guilds(
    serve_more: ServeMore, migrated_database: NewDatabase, chatd: Chatd
) -> None:
    """On a database of its own: above 100,000 messages, the number is an estimate."""
    url = chatd.environment["DATABASE_URL"] = migrated_database("cli_stats")
    async with (
        serve_more(worker_id=0, database_url=url) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        guild = await world.guild(owner="ada")
        before = await chatd.json("stats")
        path = f"/channels/{guild.general.id}/messages"
        await guild.owner.rest.post(path, {"content": "Hello"})
        await world.guild(owner="bob")
        after = await chatd.json("stats")
    counted = [(each["people"], each["guilds"], each["messages"]) for each in (before, after)]
    assert counted == [(1, 1, 0), (2, 2, 1)]
    assert [each["worker_id"] for each in after["instance"]] == [0]

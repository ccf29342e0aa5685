"""Deleted guilds and roles are invisible before their rows are deleted."""

from __future__ import annotations

import pytest

from chatd.core.ids import GuildId, UserId
from chatd.db.pool import Database
from chatd.queries import temporary_members
from chatd.rest.table import table
from tests.conftest import Server
from tests.helpers.pending_deletions import Sweep, count
from tests.helpers.roles import assign_roles, create_role
from tests.rest.searching import say
from tests.world import PASSWORD, Guild, World


async def test_deleted_guild_is_invisible_before_its_rows_are_deleted(
    world: World, database: Database, sweep: Sweep
) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    kept = await world.guild(owner="dave", members=["alice"])
    alice, bob, carol, dave = await world.people("alice", "bob", "carol", "dave")
    role, kept_role = await create_role(guild, "role"), await create_role(kept, "role")
    await assign_roles(world, guild, "bob", role)
    await assign_roles(world, kept, "alice", kept_role)
    [sent] = await say(alice.rest, guild.general, "x")
    [kept_sent] = await say(dave.rest, kept.general, "x")
    await bob.rest.post(f"/channels/{guild.general.id}/messages/{sent}/ack", {})
    await alice.rest.post(f"/channels/{kept.general.id}/messages/{kept_sent}/ack", {})
    await alice.rest.put(f"/guilds/{guild.id}/bans/{carol.id}", {})
    await dave.rest.put(f"/guilds/{kept.id}/bans/{carol.id}", {})

    async def counts(of: Guild) -> dict[str, int]:
        found = {
            table: await count(database, table, guild_id=int(of.id))
            for table in ("guild_members", "member_roles", "bans", "audit_logs", "roles")
        }
        found["read_states"] = await count(database, "read_states", channel_id=int(of.general.id))
        return found

    before = await counts(kept)
    await alice.rest.delete(f"/guilds/{guild.id}")
    # The guild is invisible, although its rows exist.
    assert (await counts(guild))["guild_members"] == 2
    for person, ids in ((alice, {kept.id}), (bob, set())):
        assert {each["id"] for each in await person.rest.get("/users/@me/guilds")} == ids
        answer = await person.rest.call("GET", f"/guilds/{guild.id}")
        assert (answer.status, answer.code) == (404, 10004)
    assert (await alice.rest.call("GET", f"/users/{bob.id}/profile")).status == 403
    [client] = await world.online("bob")
    assert client.ready["guilds"] == []
    await bob.rest.patch("/users/@me", {"global_name": "Bobby"})
    assert await bob.rest.get("/users/@me/read-states") == []
    await bob.rest.post("/users/@me/delete", {"password": PASSWORD})
    await sweep()
    assert set((await counts(guild)).values()) == {0}
    assert await counts(kept) == before
    assert await count(database, "read_states", user_id=int(bob.id)) == 0


async def test_deleted_role_is_invisible_before_its_rows_are_deleted(
    world: World, database: Database, sweep: Sweep
) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    gone, kept = await create_role(guild, "gone"), await create_role(guild, "kept")
    for role in (gone, kept):
        await assign_roles(world, guild, "bob", role)
    await guild.owner.rest.delete(f"/guilds/{guild.id}/roles/{gone}")
    assert await count(database, "member_roles", role_id=int(gone)) == 1
    path = f"/guilds/{guild.id}/members/{bob.id}"
    assert (await guild.owner.rest.get(path))["roles"] == [kept]
    [client] = await world.online("bob")
    answer = await guild.owner.rest.patch(path, {"nick": "B", "roles": [kept]})
    assert answer["roles"] == [kept]
    assert (await client.next("GUILD_MEMBER_UPDATE")).d["roles"] == [kept]
    await sweep()
    assert await count(database, "member_roles", role_id=int(gone)) == 0
    assert await count(database, "member_roles", role_id=int(kept)) == 1


@pytest.mark.usefixtures("sweep")
async def test_members_of_a_deleted_guild_share_no_guild(world: World) -> None:
    """Memberships are deleted some time after their guild, and must not count until then."""
    guild = await world.guild(owner="alice", members=["bob", "carol", "dave"])
    bob, carol, dave = await world.people("bob", "carol", "dave")
    sources = {"friend_source_flags": {"all": False, "mutual_friends": False}}
    await carol.rest.patch("/users/@me/settings", {**sources, "restricted_guilds": []})
    await dave.rest.patch("/users/@me/settings", {"restricted_guilds": [guild.id]})
    opened = await bob.rest.post("/users/@me/channels", {"recipient_id": carol.id})
    written = f"/channels/{opened['id']}/messages"
    await bob.rest.post(written, {"content": "hello"})
    await guild.owner.rest.delete(f"/guilds/{guild.id}")
    for method, path, body in (
        ("POST", written, {"content": "still here?"}),
        ("POST", f"/channels/{opened['id']}/typing", None),
        ("POST", "/users/@me/channels", {"recipient_id": guild.owner.id}),
        ("POST", "/users/@me/channels", {"recipients": [carol.id, guild.owner.id]}),
        ("PUT", f"/users/@me/relationships/{carol.id}", {}),
        ("GET", f"/users/{carol.id}/profile", None),
    ):
        answer = await bob.rest.call(method, path, body)
        assert answer.status in (400, 403), (method, path, answer.raw)
    own = [each.path for each in table() if each.method == "GET" and "{" not in each.path]
    for person in (bob, dave):
        for path in own:
            answer = await person.rest.call("GET", path)
            assert guild.id.encode() not in answer.raw, path
        [client] = await world.online(person.name.split(".")[0])
        assert client.ready["guilds"] == []


async def test_temporary_membership_of_a_deleted_guild_does_not_end(
    world: World, server: Server, sweep: Sweep, database: Database
) -> None:
    guild = await world.guild(owner="alice")
    bob = await world.person("bob")
    await bob.rest.post(f"/invites/{await guild.invite(temporary=True)}")
    guild_id, user_id = GuildId(int(guild.id)), UserId(int(bob.id))
    async with database.cursor() as cur:
        assert await temporary_members.has_expired(cur, guild_id, user_id, after_s=-1)
    await guild.owner.rest.delete(f"/guilds/{guild.id}")
    async with database.cursor() as cur:
        assert not await temporary_members.has_expired(cur, guild_id, user_id, after_s=-1)
    await sweep()

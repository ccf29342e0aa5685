"""Pruning: who has not been there for long is removed, and nobody else."""

from __future__ import annotations

from collections.abc import Iterable

import psycopg2

from chatd.core.permissions import Permissions
from tests.conftest import Server
from tests.rest.test_roles import give, made
from tests.world import Guild, Person, World, like


def age(server: Server, guild: Guild, people: Iterable[Person], *, days: int) -> None:
    """Let these have joined and been there last so many days ago: only a clock could do it."""
    ids = [int(person.id) for person in people]
    with psycopg2.connect(server.config.database_url) as connection, connection.cursor() as cur:
        cur.execute(
            "UPDATE logins SET last_used_at = now() - make_interval(days => %s)"
            " WHERE user_id = ANY(%s)",
            (days, ids),
        )
        cur.execute(
            "UPDATE guild_members SET joined_at = now() - make_interval(days => %s)"
            " WHERE guild_id = %s AND user_id = ANY(%s)",
            (days, int(guild.id), ids),
        )
    connection.close()


async def member_ids(guild: Guild) -> set[str]:
    listed = await guild.owner.rest.get(f"/guilds/{guild.id}/members?limit=100")
    return {member["user"]["id"] for member in listed}


async def test_only_the_idle_without_roles_go(world: World, server: Server) -> None:
    names = ["idle", "lively", "staff", "helper"]
    guild = await world.guild(owner="alice", members=names)
    idle, lively, staff, helper = await world.people(*names)
    staff_role, helper_role = await made(guild, "staff"), await made(guild, "helper")
    await give(world, guild, "staff", staff_role)
    await give(world, guild, "helper", helper_role)
    [client] = await world.online("lively")
    age(server, guild, [guild.owner, idle, staff, helper], days=10)
    rest, base = guild.owner.rest, f"/guilds/{guild.id}/prune"
    assert await rest.get(base) == {"pruned": 1}
    assert await rest.get(f"{base}?days=11") == {"pruned": 0}
    assert await rest.get(f"{base}?include_roles={helper_role}") == {"pruned": 2}
    answer = await rest.call(
        "POST",
        base,
        {"days": 7, "include_roles": [helper_role]},
        headers={"X-Audit-Log-Reason": "spring"},
    )
    assert (answer.status, answer.json) == (200, {"pruned": 2})
    assert await member_ids(guild) == {guild.owner.id, lively.id, staff.id}
    gone = {(await client.next("GUILD_MEMBER_REMOVE")).d["user"]["id"] for _ in "12"}
    assert gone == {idle.id, helper.id}
    log = await rest.get(f"/guilds/{guild.id}/audit-logs?action_type=21")
    [entry] = log["audit_log_entries"]
    assert entry == like(
        reason="spring",
        target_id=None,
        options={"delete_member_days": "7", "members_removed": "2"},
    )
    assert await rest.post(base, {"compute_prune_count": False}) == {"pruned": None}


async def test_who_may_prune_and_whom(world: World, server: Server) -> None:
    guild = await world.guild(owner="alice", members=["mod", "high"])
    mod, high = await world.people("mod", "high")
    high_role = await made(guild, "high", position=2)
    bits = int(Permissions.MANAGE_GUILD | Permissions.KICK_MEMBERS)
    role = await made(guild, "mod", bits, position=1)
    await give(world, guild, "high", high_role)
    base = f"/guilds/{guild.id}/prune"
    assert (await mod.rest.call("POST", base, {})).code == 50013
    await give(world, guild, "mod", role)
    age(server, guild, [high], days=10)
    assert await mod.rest.post(base, {"include_roles": [high_role]}) == {"pruned": 0}
    assert high.id in await member_ids(guild)


async def test_wrong_prunes(world: World) -> None:
    guild = await world.guild(owner="alice")
    base = f"/guilds/{guild.id}/prune"
    for query in ("days=0", "days=31", "days=x", "include_roles=x", "include_roles=1,,2"):
        answer = await guild.owner.rest.call("GET", f"{base}?{query}")
        assert (answer.status, answer.code) == (400, 50035), query
    for body in ({"days": 0}, {"days": 31}, {"include_roles": "1"}, {"include_roles": ["x"]}):
        answer = await guild.owner.rest.call("POST", base, body)
        assert (answer.status, answer.code) == (400, 50035), body

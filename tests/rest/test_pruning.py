"""Pruning: only inactive members are removed."""

from __future__ import annotations

from chatd.core.permissions import Permissions
from tests.conftest import Server
from tests.helpers.members import backdate_members, member_ids
from tests.helpers.roles import assign_roles, create_role
from tests.world import World, like


async def test_prune_removes_inactive_members_without_roles(world: World, server: Server) -> None:
    names = ["idle", "lively", "staff", "helper"]
    guild = await world.guild(owner="alice", members=names)
    idle, lively, staff, helper = await world.people(*names)
    staff_role, helper_role = await create_role(guild, "staff"), await create_role(guild, "helper")
    await assign_roles(world, guild, "staff", staff_role)
    await assign_roles(world, guild, "helper", helper_role)
    [client] = await world.online("lively")
    backdate_members(server, guild, [guild.owner, idle, staff, helper], days=10)
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


async def test_prune_requires_permissions_and_rank(world: World, server: Server) -> None:
    guild = await world.guild(owner="alice", members=["mod", "high"])
    mod, high = await world.people("mod", "high")
    high_role = await create_role(guild, "high", position=2)
    bits = int(Permissions.MANAGE_GUILD | Permissions.KICK_MEMBERS)
    role = await create_role(guild, "mod", bits, position=1)
    await assign_roles(world, guild, "high", high_role)
    base = f"/guilds/{guild.id}/prune"
    assert (await mod.rest.call("POST", base, {})).code == 50013
    await assign_roles(world, guild, "mod", role)
    backdate_members(server, guild, [high], days=10)
    assert await mod.rest.post(base, {"include_roles": [high_role]}) == {"pruned": 0}
    assert high.id in await member_ids(guild)


async def test_invalid_prunes_are_refused(world: World) -> None:
    guild = await world.guild(owner="alice")
    base = f"/guilds/{guild.id}/prune"
    for query in ("days=0", "days=31", "days=x", "include_roles=x", "include_roles=1,,2"):
        answer = await guild.owner.rest.call("GET", f"{base}?{query}")
        assert (answer.status, answer.code) == (400, 50035), query
    for body in ({"days": 0}, {"days": 31}, {"include_roles": "1,,2"}, {"include_roles": ["x"]}):
        answer = await guild.owner.rest.call("POST", base, body)
        assert (answer.status, answer.code) == (400, 50035), body

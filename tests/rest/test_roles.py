"""Roles: creating, changing, reordering, deleting, assigning and unassigning them."""

from __future__ import annotations

import pytest

from chatd.core.permissions import Permissions
from tests.conftest import Server
from tests.helpers.locks import Call, held_stream, one_after_the_other
from tests.helpers.roles import assign_roles, create_role
from tests.world import World, like

MANAGE = int(Permissions.MANAGE_ROLES)
KICK = int(Permissions.KICK_MEMBERS)


async def test_new_role_is_sent_to_the_members(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    [client] = await world.online("bob")
    path = f"/guilds/{guild.id}/roles"
    body = {"name": "mod", "color": 0xFF0000, "hoist": True, "permissions": str(KICK)}
    role = await world.rest("alice").post(path, body)
    assert role == like(**body, position=1, mentionable=False, managed=False)
    assert (await client.next("GUILD_ROLE_CREATE")).d == {"guild_id": guild.id, "role": role}
    listed = await world.rest("bob").get(path)
    assert [each["name"] for each in listed] == ["@everyone", "mod"]
    assert await world.rest("bob").get(f"{path}/{role['id']}") == role


async def test_empty_permissions_are_none(world: World) -> None:
    """The web client Fermi creates roles so."""
    guild = await world.guild(owner="alice")
    body = {"color": 0, "name": "crew", "permissions": ""}
    role = await guild.owner.rest.post(f"/guilds/{guild.id}/roles", body)
    assert role == like(name="crew", permissions="0")
    overwrite = {"id": guild.id, "type": 0, "allow": "", "deny": ""}
    staff = await guild.channel("staff", permission_overwrites=[overwrite])
    channel = await guild.owner.rest.get(f"/channels/{staff.id}")
    assert channel["permission_overwrites"] == [{**overwrite, "allow": "0", "deny": "0"}]


async def test_roles_of_a_member_may_name_everyone(world: World) -> None:
    """The web client Fermi always sends the role that all members have."""
    guild = await world.guild(owner="alice", members=["bob"])
    role, bob = await create_role(guild, "crew"), await world.person("bob")
    path = f"/guilds/{guild.id}/members/{bob.id}"
    for roles in ([role], []):
        changed = await guild.owner.rest.patch(path, {"roles": [guild.id, *roles]})
        assert changed["roles"] == roles
        assert (await bob.rest.get(f"/guilds/{guild.id}/members/@me"))["roles"] == roles


async def test_colors_in_the_forms_of_libraries(world: World) -> None:
    guild = await world.guild(owner="alice")
    path = f"/guilds/{guild.id}/roles"
    colors = {"primary_color": 0x123456, "secondary_color": None, "tertiary_color": None}
    role = await guild.owner.rest.post(path, {"name": "red", "color": 1, "colors": colors})
    assert role == like(color=0x123456, colors=colors)
    own = f"{path}/{role['id']}"
    changed = await guild.owner.rest.patch(own, {"colors": {**colors, "primary_color": 7}})
    assert changed == like(color=7, name="red")
    assert await guild.owner.rest.get(own) == changed
    for wrong in ({}, {"primary_color": -1}, {"primary_color": "red"}):
        refused = await guild.owner.rest.call("PATCH", own, {"colors": wrong})
        assert (refused.status, refused.code) == (400, 50035)
    assert await guild.owner.rest.patch(own, {"colors": None, "hoist": None}) == changed


async def test_role_is_changed_and_deleted(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    role = await create_role(guild, "mod")
    await assign_roles(world, guild, "bob", role)
    [client] = await world.online("bob")
    path = f"/guilds/{guild.id}/roles/{role}"
    changed = await world.rest("alice").patch(path, {"name": "judge", "mentionable": True})
    assert changed == like(id=role, name="judge", mentionable=True)
    assert (await client.next("GUILD_ROLE_UPDATE")).d["role"] == changed
    await world.rest("alice").delete(path)
    assert (await client.next("GUILD_ROLE_DELETE")).d == {"guild_id": guild.id, "role_id": role}
    member = await world.rest("bob").get(f"/guilds/{guild.id}/members/@me")
    assert member["roles"] == []
    gone = await world.rest("alice").call("DELETE", path)
    assert (gone.status, gone.code) == (404, 10011)


async def test_role_is_assigned_and_unassigned(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    role = await create_role(guild, "mod", KICK)
    [client] = await world.online("alice")
    path = f"/guilds/{guild.id}/members/{bob.id}/roles/{role}"
    await world.rest("alice").put(path)
    update = (await client.next("GUILD_MEMBER_UPDATE")).d
    assert update == like(guild_id=guild.id, roles=[role])
    await world.rest("alice").put(path)  # a repetition changes nothing
    assert [each.t for each in await client.received_before_fence()] == [
        "GUILD_AUDIT_LOG_ENTRY_CREATE"
    ]
    await world.rest("alice").delete(path)
    assert (await client.next("GUILD_MEMBER_UPDATE")).d == like(roles=[])


async def test_member_cannot_manage_roles_above_its_own(world: World) -> None:
    guild = await world.guild(owner="alice", members=["mod", "bob"])
    low = await create_role(guild, "low", position=1)
    middle = await create_role(guild, "middle", MANAGE, position=2)
    high = await create_role(guild, "high", position=3)
    await assign_roles(world, guild, "mod", middle)
    mod, bob = world.rest("mod"), await world.person("bob")
    await mod.put(f"/guilds/{guild.id}/members/{bob.id}/roles/{low}")
    await mod.patch(f"/guilds/{guild.id}/roles/{low}", {"name": "lower"})
    for method, path, body in (
        ("PUT", f"/guilds/{guild.id}/members/{bob.id}/roles/{middle}", None),
        ("PUT", f"/guilds/{guild.id}/members/{bob.id}/roles/{high}", None),
        ("PATCH", f"/guilds/{guild.id}/roles/{middle}", {"name": "x"}),
        ("PATCH", f"/guilds/{guild.id}/roles/{high}", {"name": "x"}),
        ("DELETE", f"/guilds/{guild.id}/roles/{high}", None),
        ("PATCH", f"/guilds/{guild.id}/roles", [{"id": low, "position": 2}]),
        ("PATCH", f"/guilds/{guild.id}/roles", [{"id": low, "position": 9}]),
        ("PATCH", f"/guilds/{guild.id}/roles/{low}", {"permissions": str(KICK)}),
        ("POST", f"/guilds/{guild.id}/roles", {"permissions": str(KICK)}),
    ):
        answer = await mod.call(method, path, body)
        assert (answer.status, answer.code) == (403, 50013), (method, path, answer.raw)


async def test_reorder_may_renumber_roles_above_the_caller(
    world: World,
) -> None:
    guild = await world.guild(owner="alice", members=["mod"])
    high = await create_role(guild, "high")
    own = await create_role(guild, "own", MANAGE)
    low, lower = (
        await create_role(guild, "low"),
        await create_role(guild, "lower"),
    )  # all have position 1
    await assign_roles(world, guild, "mod", own)
    mod, path = world.rest("mod"), f"/guilds/{guild.id}/roles"

    def numbered(*order: str) -> list[dict[str, object]]:
        return [{"id": each, "position": number} for number, each in enumerate(order)]

    everyone = guild.id
    for order in ((low, high, own), (low, own, lower, high), (own, low, lower, high)):
        refused = await mod.call("PATCH", path, numbered(everyone, *order))
        assert (refused.status, refused.code) == (403, 50013), order
    listed = await mod.patch(path, numbered(everyone, low, lower, own, high))
    assert [role["id"] for role in listed] == [everyone, low, lower, own, high]
    gap = await mod.call("PATCH", path, [{"id": low, "position": 9}])
    assert (gap.status, gap.code) == (403, 50013)


async def test_roles_require_manage_roles(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    role = await create_role(guild, "mod")
    bob = await world.person("bob")
    for method, path, body in (
        ("POST", f"/guilds/{guild.id}/roles", {"name": "x"}),
        ("PATCH", f"/guilds/{guild.id}/roles/{role}", {"name": "x"}),
        ("PUT", f"/guilds/{guild.id}/members/{bob.id}/roles/{role}", None),
    ):
        answer = await bob.rest.call(method, path, body)
        assert (answer.status, answer.code) == (403, 50013)


async def test_everyone_role_keeps_position_and_name(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    rest = world.rest("alice")
    path = f"/guilds/{guild.id}/roles/{guild.id}"
    changed = await rest.patch(path, {"name": "nobody", "permissions": "1024"})
    assert changed == like(name="@everyone", permissions="1024")
    sent = await world.rest("bob").call(
        "POST", f"/channels/{guild.general.id}/messages", {"content": "hi"}
    )
    assert sent.code == 50013
    assert (await rest.call("DELETE", path)).code == 50028
    moved = await rest.call("PATCH", f"/guilds/{guild.id}/roles", [{"id": guild.id, "position": 3}])
    assert (moved.status, moved.code) == (400, 50035)


async def test_role_that_reveals_a_channel_sends_channel_events(
    world: World,
) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    staff = await guild.channel(
        "staff",
        permission_overwrites=[
            {"id": guild.id, "type": 0, "deny": str(int(Permissions.VIEW_CHANNEL))}
        ],
    )
    role = await create_role(guild, "staff")
    await guild.owner.rest.put(
        f"/channels/{staff.id}/permissions/{role}",
        {"type": 0, "allow": str(int(Permissions.VIEW_CHANNEL))},
    )
    bob, carol = await world.online("bob", "carol")
    messages = f"/channels/{staff.id}/messages"
    await guild.owner.rest.post(messages, {"content": "not for bob"})
    assert await bob.received_before_fence() == []
    assert (await world.rest("bob").call("GET", messages)).code == 50001

    await assign_roles(world, guild, "bob", role)
    assert (await bob.next("GUILD_MEMBER_UPDATE")).d["roles"] == [role]
    assert (await bob.next("CHANNEL_CREATE")).d == like(id=staff.id, name="staff")
    sent = await guild.owner.rest.post(messages, {"content": "for bob"})
    assert (await bob.next("MESSAGE_CREATE")).d["id"] == sent["id"]
    assert len(await world.rest("bob").get(messages)) == 2

    await guild.owner.rest.delete(f"/guilds/{guild.id}/roles/{role}")
    await bob.next("GUILD_ROLE_DELETE")
    assert (await bob.next("CHANNEL_DELETE")).d["id"] == staff.id
    await guild.owner.rest.post(messages, {"content": "no more"})
    assert await bob.received_before_fence() == []
    received = {each.t for each in await carol.received_before_fence()}
    assert received <= {"GUILD_MEMBER_UPDATE", "GUILD_ROLE_DELETE"}


@pytest.mark.parametrize("first", ["give", "delete"])
async def test_concurrent_assignment_and_deletion_of_a_role(
    world: World, server: Server, first: str
) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    rest, bob = guild.owner.rest, await world.person("bob")
    role = await create_role(guild, "brief")
    calls: list[Call] = [
        lambda: rest.call("PUT", f"/guilds/{guild.id}/members/{bob.id}/roles/{role}"),
        lambda: rest.call("DELETE", f"/guilds/{guild.id}/roles/{role}"),
    ]
    if first == "delete":
        calls.reverse()
    answers = await one_after_the_other(held_stream(server, guild.id), *calls)
    assert [answer.status for answer in answers] == ([204, 204] if first == "give" else [204, 404])
    member = await bob.rest.get(f"/guilds/{guild.id}/members/@me")
    assert member["roles"] == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 101),
        ("permissions", "-1"),
        ("permissions", "all"),
        ("color", 0x1000000),
        ("hoist", "yes"),
    ],
)
async def test_invalid_field_is_named(world: World, field: str, value: object) -> None:
    guild = await world.guild(owner="alice")
    answer = await world.rest("alice").call("POST", f"/guilds/{guild.id}/roles", {field: value})
    assert (answer.status, answer.code) == (400, 50035)
    assert answer.json["errors"].keys() == {field}

"""Roles: making, changing, ordering, deleting, giving and taking them."""

from __future__ import annotations

import asyncio

import pytest

from chatd.core.permissions import Permissions
from tests.world import Guild, World, like

MANAGE = int(Permissions.MANAGE_ROLES)
KICK = int(Permissions.KICK_MEMBERS)


async def made(guild: Guild, name: str, permissions: int = 0, position: int | None = None) -> str:
    """A role of the guild, at a place if that is said."""
    rest = guild.owner.rest
    body = {"name": name, "permissions": str(permissions)}
    role = await rest.post(f"/guilds/{guild.id}/roles", body)
    if position is not None:
        await rest.patch(f"/guilds/{guild.id}/roles", [{"id": role["id"], "position": position}])
    return str(role["id"])


async def give(world: World, guild: Guild, name: str, *roles: str) -> None:
    person = await world.person(name)
    for role in roles:
        await guild.owner.rest.put(f"/guilds/{guild.id}/members/{person.id}/roles/{role}")


async def test_a_new_role_reaches_the_members(world: World) -> None:
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


async def test_colours_as_libraries_say_them(world: World) -> None:
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


async def test_changing_and_deleting(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    role = await made(guild, "mod")
    await give(world, guild, "bob", role)
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


async def test_giving_and_taking(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    role = await made(guild, "mod", KICK)
    [client] = await world.online("alice")
    path = f"/guilds/{guild.id}/members/{bob.id}/roles/{role}"
    await world.rest("alice").put(path)
    update = (await client.next("GUILD_MEMBER_UPDATE")).d
    assert update == like(guild_id=guild.id, roles=[role])
    await world.rest("alice").put(path)  # again: nothing happens
    assert [each.t for each in await client.heard_before_fence()] == [
        "GUILD_AUDIT_LOG_ENTRY_CREATE"
    ]
    await world.rest("alice").delete(path)
    assert (await client.next("GUILD_MEMBER_UPDATE")).d == like(roles=[])


async def test_nobody_reaches_above_its_own_role(world: World) -> None:
    guild = await world.guild(owner="alice", members=["mod", "bob"])
    low = await made(guild, "low", position=1)
    middle = await made(guild, "middle", MANAGE, position=2)
    high = await made(guild, "high", position=3)
    await give(world, guild, "mod", middle)
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


async def test_all_roles_may_be_numbered_anew_in_an_order_that_is_ones_own_to_change(
    world: World,
) -> None:
    guild = await world.guild(owner="alice", members=["mod"])
    high = await made(guild, "high")
    own = await made(guild, "own", MANAGE)
    low, lower = await made(guild, "low"), await made(guild, "lower")  # all stand at 1
    await give(world, guild, "mod", own)
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


async def test_a_plain_member_manages_no_roles(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    role = await made(guild, "mod")
    bob = await world.person("bob")
    for method, path, body in (
        ("POST", f"/guilds/{guild.id}/roles", {"name": "x"}),
        ("PATCH", f"/guilds/{guild.id}/roles/{role}", {"name": "x"}),
        ("PUT", f"/guilds/{guild.id}/members/{bob.id}/roles/{role}", None),
    ):
        answer = await bob.rest.call(method, path, body)
        assert (answer.status, answer.code) == (403, 50013)


async def test_everyone_keeps_its_place_and_its_name(world: World) -> None:
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


async def test_a_role_that_opens_and_closes_a_channel_is_followed_by_just_that(
    world: World,
) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    staff = await guild.channel(
        "staff",
        permission_overwrites=[
            {"id": guild.id, "type": 0, "deny": str(int(Permissions.VIEW_CHANNEL))}
        ],
    )
    role = await made(guild, "staff")
    await guild.owner.rest.put(
        f"/channels/{staff.id}/permissions/{role}",
        {"type": 0, "allow": str(int(Permissions.VIEW_CHANNEL))},
    )
    bob, carol = await world.online("bob", "carol")
    messages = f"/channels/{staff.id}/messages"
    await guild.owner.rest.post(messages, {"content": "not for bob"})
    assert await bob.heard_before_fence() == []
    assert (await world.rest("bob").call("GET", messages)).code == 50001

    await give(world, guild, "bob", role)
    assert (await bob.next("GUILD_MEMBER_UPDATE")).d["roles"] == [role]
    assert (await bob.next("CHANNEL_CREATE")).d == like(id=staff.id, name="staff")
    sent = await guild.owner.rest.post(messages, {"content": "for bob"})
    assert (await bob.next("MESSAGE_CREATE")).d["id"] == sent["id"]
    assert len(await world.rest("bob").get(messages)) == 2

    await guild.owner.rest.delete(f"/guilds/{guild.id}/roles/{role}")
    await bob.next("GUILD_ROLE_DELETE")
    assert (await bob.next("CHANNEL_DELETE")).d["id"] == staff.id
    await guild.owner.rest.post(messages, {"content": "no more"})
    assert await bob.heard_before_fence() == []
    heard = {each.t for each in await carol.heard_before_fence()}
    assert heard <= {"GUILD_MEMBER_UPDATE", "GUILD_ROLE_DELETE"}


async def test_giving_a_role_while_it_is_deleted(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    for _ in range(3):
        role = await made(guild, "brief")
        answers = await asyncio.gather(
            guild.owner.rest.call("PUT", f"/guilds/{guild.id}/members/{bob.id}/roles/{role}"),
            guild.owner.rest.call("DELETE", f"/guilds/{guild.id}/roles/{role}"),
        )
        assert answers[0].status in (204, 404)
        assert answers[1].status == 204
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
async def test_a_bad_field_is_named(world: World, field: str, value: object) -> None:
    guild = await world.guild(owner="alice")
    answer = await world.rest("alice").call("POST", f"/guilds/{guild.id}/roles", {field: value})
    assert (answer.status, answer.code) == (400, 50035)
    assert answer.json["errors"].keys() == {field}

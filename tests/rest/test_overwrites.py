"""Overwrites: permissions that a channel allows and denies."""

from __future__ import annotations

from chatd.core.permissions import Permissions
from tests.helpers.roles import assign_roles, create_role
from tests.world import World, like

VIEW = str(int(Permissions.VIEW_CHANNEL))
SEND = str(int(Permissions.SEND_MESSAGES))
READ = str(int(Permissions.READ_MESSAGE_HISTORY))


async def test_denied_member_gets_no_events_and_history(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    bob = await world.person("bob")
    channel = guild.general.id
    bob_client, carol_client = await world.online("bob", "carol")
    path = f"/channels/{channel}/permissions/{bob.id}"
    await guild.owner.rest.put(path, {"type": 1, "deny": VIEW})
    [closed] = await bob_client.received_before_fence()
    assert (closed.t, closed.d["id"]) == ("CHANNEL_DELETE", channel)
    update = (await carol_client.next("CHANNEL_UPDATE")).d
    assert update["permission_overwrites"] == [
        {"id": bob.id, "type": 1, "allow": "0", "deny": VIEW}
    ]
    await guild.owner.rest.post(f"/channels/{channel}/messages", {"content": "psst"})
    assert await bob_client.received_before_fence() == []
    for method, where, body in (
        ("GET", f"/channels/{channel}", None),
        ("GET", f"/channels/{channel}/messages", None),
        ("POST", f"/channels/{channel}/messages", {"content": "x"}),
        ("POST", f"/channels/{channel}/invites", {}),
    ):
        answer = await bob.rest.call(method, where, body)
        assert (answer.status, answer.code) == (403, 50001), (method, where)
    assert await bob.rest.get(f"/guilds/{guild.id}/channels") == []
    [again] = await world.online("bob")
    assert again.ready["guilds"]
    await guild.owner.rest.delete(path)
    [opened] = await bob_client.received_before_fence()
    assert (opened.t, opened.d["id"]) == ("CHANNEL_CREATE", channel)
    assert len(await bob.rest.get(f"/channels/{channel}/messages")) == 1


async def test_denial_applies_to_the_next_message(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    path = f"/channels/{guild.general.id}/messages"
    await world.rest("bob").post(path, {"content": "one"})
    await guild.owner.rest.put(
        f"/channels/{guild.general.id}/permissions/{guild.id}", {"type": 0, "deny": SEND}
    )
    answer = await world.rest("bob").call("POST", path, {"content": "two"})
    assert (answer.status, answer.code) == (403, 50013)
    assert len(await world.rest("bob").get(path)) == 1


async def test_history_requires_read_message_history(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    path = f"/channels/{guild.general.id}/messages"
    sent = await world.rest("bob").post(path, {"content": "one"})
    await guild.owner.rest.put(
        f"/channels/{guild.general.id}/permissions/{guild.id}", {"type": 0, "deny": READ}
    )
    assert await world.rest("bob").get(path) == []
    assert (await world.rest("bob").call("GET", f"{path}/{sent['id']}")).code == 50013
    reply = {"content": "x", "message_reference": {"message_id": sent["id"]}}
    assert (await world.rest("bob").call("POST", path, reply)).code == 50013


async def test_new_channel_inherits_the_overwrites_of_its_category(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    category = await guild.channel(
        "staff", type=4, permission_overwrites=[{"id": guild.id, "type": 0, "deny": VIEW}]
    )
    [client] = await world.online("bob")
    inside = await guild.channel("inside", parent_id=category.id)
    shown = await guild.owner.rest.get(f"/channels/{inside.id}")
    assert [each["id"] for each in shown["permission_overwrites"]] == [guild.id]
    assert await client.received_before_fence() == []
    outside = await guild.channel("outside")
    assert (await client.next("CHANNEL_CREATE")).d["id"] == outside.id
    await guild.owner.rest.patch(
        f"/guilds/{guild.id}/channels",
        [{"id": outside.id, "parent_id": category.id, "lock_permissions": True, "position": 9}],
    )
    assert (await client.next("CHANNEL_DELETE")).d["id"] == outside.id
    moved = await guild.owner.rest.get(f"/channels/{outside.id}")
    assert moved == like(parent_id=category.id, position=9)


async def test_member_cannot_grant_permissions_that_it_lacks(world: World) -> None:
    guild = await world.guild(owner="alice", members=["mod", "bob"])
    manage = int(Permissions.MANAGE_ROLES)
    await assign_roles(world, guild, "mod", await create_role(guild, "mod", manage))
    bob = await world.person("bob")
    path = f"/channels/{guild.general.id}/permissions/{bob.id}"
    mod = world.rest("mod")
    await mod.put(path, {"type": 1, "deny": SEND})
    kick = str(int(Permissions.KICK_MEMBERS))
    for body in ({"type": 1, "allow": kick}, {"type": 1, "deny": kick}):
        assert (await mod.call("PUT", path, body)).code == 50013
    assert (await bob.rest.call("PUT", path, {"type": 1, "allow": SEND})).code == 50013
    assert (await bob.rest.call("DELETE", path)).code == 50013


async def test_moving_a_channel_requires_the_granted_permissions(world: World) -> None:
    guild = await world.guild(owner="alice", members=["mod", "bob"])
    await assign_roles(
        world, guild, "mod", await create_role(guild, "mod", int(Permissions.MANAGE_CHANNELS))
    )
    mod, bob = await world.people("mod", "bob")
    hidden = [{"id": guild.id, "type": 0, "deny": VIEW}, {"id": mod.id, "type": 1, "allow": VIEW}]
    staff = await guild.channel("staff", permission_overwrites=hidden)
    everybody = await guild.channel("everybody", type=4)
    path = f"/guilds/{guild.id}/channels"
    move = [{"id": staff.id, "parent_id": everybody.id, "lock_permissions": True}]
    assert (await mod.rest.call("PATCH", path, move)).code == 50013
    assert (await bob.rest.call("GET", f"/channels/{staff.id}")).code == 50001
    assert (await guild.owner.rest.get(f"/channels/{staff.id}"))["parent_id"] is None
    await mod.rest.patch(path, [{"id": staff.id, "parent_id": everybody.id}])
    assert (await bob.rest.call("GET", f"/channels/{staff.id}")).code == 50001
    out = [{"id": staff.id, "parent_id": None}]
    await guild.owner.rest.patch(path, out)
    await guild.owner.rest.patch(path, move)
    assert (await bob.rest.get(f"/channels/{staff.id}"))["parent_id"] == everybody.id


async def test_last_overwrite_of_a_target_applies(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    [client] = await world.online("bob")
    bob = await world.person("bob")
    own = {"id": bob.id, "type": 1, "allow": SEND}
    wanted = [{"id": bob.id, "type": 1, "deny": SEND}, {"id": guild.id, "type": 0}, own]
    body = {"name": "twice", "permission_overwrites": wanted}
    channel = await guild.owner.rest.post(f"/guilds/{guild.id}/channels", body)
    shown = channel["permission_overwrites"]
    assert shown == [
        {"id": guild.id, "type": 0, "allow": "0", "deny": "0"},
        {**own, "deny": "0"},
    ]
    assert (await client.next("CHANNEL_CREATE")).d["permission_overwrites"] == shown
    path = f"/channels/{channel['id']}"
    assert (await guild.owner.rest.get(path))["permission_overwrites"] == shown
    changed = await guild.owner.rest.patch(path, {"permission_overwrites": [own, wanted[0]]})
    assert changed["permission_overwrites"] == [
        {"id": bob.id, "type": 1, "allow": "0", "deny": SEND}
    ]
    assert await guild.owner.rest.get(path) == changed
    await guild.owner.rest.put(f"{path}/permissions/{guild.id}", {"type": 0})
    events = [
        event.d for event in await client.received_before_fence() if event.t == "CHANNEL_UPDATE"
    ]
    assert events[-1]["permission_overwrites"] == [
        {"id": guild.id, "type": 0, "allow": "0", "deny": "0"},
        *changed["permission_overwrites"],
    ]


async def test_unknown_overwrites_are_refused(world: World) -> None:
    guild = await world.guild(owner="alice")
    rest = world.rest("alice")
    path = f"/channels/{guild.general.id}/permissions/5"
    assert (await rest.call("PUT", path, {"type": 0})).code == 10011
    assert (await rest.call("PUT", path, {"type": 1})).code == 10013
    assert (await rest.call("DELETE", path)).code == 10009
    for body in ({}, {"type": 2}, {"type": 0, "allow": "x"}):
        assert (await rest.call("PUT", path, body)).code == 50035

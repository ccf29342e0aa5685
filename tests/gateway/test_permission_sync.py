"""Permission syncing: channels with the overwrites of their category follow its changes.

Rule: Discord docs, Permissions, "Permission Syncing".
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from chatd.core.permissions import Permissions
from tests.gateway.mirror import Mirror, agree, mirrored
from tests.helpers.roles import assign_roles, create_role
from tests.world import WITHOUT_PRESENCES, Guild, World

VIEW = int(Permissions.VIEW_CHANNEL)
SEND = int(Permissions.SEND_MESSAGES)
AUDIT_TARGETS = "/audit-logs?limit=100"

Json = dict[str, Any]


def denied(target: str, kind: int = 0, bits: int = VIEW) -> Json:
    return {"id": target, "type": kind, "deny": str(bits), "allow": "0"}


async def listed(guild: Guild) -> dict[str, Json]:
    """The channels of a guild as its owner sees them, with overwrites in one order."""
    found = await guild.owner.rest.get(f"/guilds/{guild.id}/channels")
    for channel in found:
        channel["permission_overwrites"].sort(key=lambda each: each["id"])
    return {channel["id"]: channel for channel in found}


async def test_synced_children_follow_their_category(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    rest, bob = guild.owner.rest, world.rest("bob")
    category = await guild.channel("category", type=4)
    synced = [await guild.channel(name, parent_id=category.id) for name in ("one", "two")]
    own = [denied(guild.id, bits=SEND)]
    other = await guild.channel("other", parent_id=category.id, permission_overwrites=own)
    stranger = await guild.channel("stranger")
    alice_client, bob_client = await world.online("alice", "bob")
    following = {category.id, *(each.id for each in synced)}
    path = f"/channels/{category.id}"
    everyone = f"{path}/permissions/{guild.id}"
    body = {"type": 0, "deny": str(VIEW)}
    changes: tuple[tuple[str, str, Json | None, bool], ...] = (
        ("PUT", everyone, body, True),
        ("DELETE", everyone, None, False),
        ("PATCH", path, {"permission_overwrites": [denied(guild.id)]}, True),
        ("PATCH", path, {"permission_overwrites": []}, False),
    )
    for method, where, change, closes in changes:
        assert (await rest.call(method, where, change)).status < 300
        received = await bob_client.received_before_fence()
        name = "CHANNEL_DELETE" if closes else "CHANNEL_CREATE"
        assert {(each.t, each.d["id"]) for each in received} == {(name, each) for each in following}
        assert len(received) == len(following)
        updates = [
            each for each in await alice_client.received_before_fence() if "CHANNEL" in each.t
        ]
        assert {(each.t, each.d["id"]) for each in updates} == {
            ("CHANNEL_UPDATE", each) for each in following
        }
        now = await listed(guild)
        wanted = now[category.id]["permission_overwrites"]
        assert [each["id"] for each in wanted] == [guild.id] * closes
        for each in updates:
            assert each.d["permission_overwrites"] == wanted
        for channel in synced:
            assert now[channel.id]["permission_overwrites"] == wanted
            status = (await bob.call("GET", f"/channels/{channel.id}/messages")).status
            assert status == (403 if closes else 200)
        assert now[other.id]["permission_overwrites"] == own
        assert now[stranger.id]["permission_overwrites"] == []
        assert (await bob.call("GET", f"/channels/{other.id}/messages")).status == 200
    entries = (await rest.get(f"/guilds/{guild.id}/audit-logs?limit=4"))["audit_log_entries"]
    assert {each["target_id"] for each in entries} == {category.id}


@pytest.mark.parametrize("where", ["channel", "category", "both"])
@pytest.mark.parametrize("way", ["PUT", "PATCH"])
async def test_overwrite_without_effect_does_not_end_the_sync(
    world: World, where: str, way: str
) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    rest, bob = guild.owner.rest, world.rest("bob")
    nothing = [denied(guild.id, bits=0)]
    anonymous = [denied((await world.person("carol")).id, kind=1, bits=0)]
    category = await guild.channel(
        "category", type=4, permission_overwrites=[] if where == "channel" else nothing
    )
    of_child = {"channel": nothing, "category": [], "both": anonymous}[where]
    child = await guild.channel("child", parent_id=category.id, permission_overwrites=of_child)
    [bob_client] = await world.online("bob")
    path = f"/channels/{category.id}"
    if way == "PUT":
        await rest.put(f"{path}/permissions/{guild.id}", {"type": 0, "deny": str(VIEW)})
    else:
        await rest.patch(path, {"permission_overwrites": [denied(guild.id)]})
    received = await bob_client.received_before_fence()
    assert ("CHANNEL_DELETE", child.id) in {(each.t, each.d["id"]) for each in received}
    assert (await bob.call("GET", f"/channels/{child.id}/messages")).status == 403
    now = await listed(guild)
    wanted = now[category.id]["permission_overwrites"]
    assert now[child.id]["permission_overwrites"] == wanted


async def test_change_without_overwrites_leaves_the_children(world: World) -> None:
    guild = await world.guild(owner="alice")
    category = await guild.channel("category", type=4)
    await guild.channel("inside", parent_id=category.id)
    [client] = await world.online("alice")
    await guild.owner.rest.patch(f"/channels/{category.id}", {"name": "renamed"})
    updates = [each.d["id"] for each in await client.received_before_fence() if "CHANNEL" in each.t]
    assert updates == [category.id]


async def test_sync_needs_permissions_in_the_category_only(world: World) -> None:
    """A moderator without rights in a child still changes the category that the child follows."""
    guild = await world.guild(owner="alice", members=["mod", "bob"])
    bits = int(Permissions.MANAGE_ROLES | Permissions.VIEW_CHANNEL)
    await assign_roles(world, guild, "mod", await create_role(guild, "mod", bits))
    category = await guild.channel("category", type=4)
    inside = await guild.channel("inside", parent_id=category.id)
    mod, bob = await world.people("mod", "bob")
    kick = str(int(Permissions.BAN_MEMBERS))
    path = f"/channels/{category.id}/permissions/{bob.id}"
    assert (await mod.rest.call("PUT", path, {"type": 1, "deny": kick})).code == 50013
    assert (await listed(guild))[inside.id]["permission_overwrites"] == []
    await mod.rest.put(path, {"type": 1, "deny": str(VIEW)})
    assert (await bob.rest.call("GET", f"/channels/{inside.id}")).code == 50001


async def test_deleted_role_keeps_children_in_sync(world: World) -> None:
    guild = await world.guild(owner="alice")
    role = await create_role(guild, "role")
    category = await guild.channel("category", type=4, permission_overwrites=[denied(role)])
    inside = await guild.channel("inside", parent_id=category.id)
    await guild.owner.rest.delete(f"/guilds/{guild.id}/roles/{role}")
    await guild.owner.rest.put(
        f"/channels/{category.id}/permissions/{guild.id}", {"type": 0, "deny": str(SEND)}
    )
    now = await listed(guild)
    wanted = [denied(guild.id, bits=SEND)]
    assert now[category.id]["permission_overwrites"] == wanted
    assert now[inside.id]["permission_overwrites"] == wanted


class Changes:
    """Random changes of one guild by its owner."""

    def __init__(self, rng: random.Random, guild: Guild, people: list[str]) -> None:
        self._rng = rng
        self._guild = guild
        self._people = people
        self.roles: list[str] = []

    async def start(self) -> None:
        """Make roles, categories and channels in them."""
        self.roles = [await create_role(self._guild, f"role {number}") for number in range(3)]
        for number in range(2):
            category = await self._guild.channel(f"category {number}", type=4)
            for _ in range(3):
                await self._guild.channel("inside", parent_id=category.id)

    async def one(self, now: dict[str, Json]) -> str | None:
        """Change something; the channel whose own overwrites or category it changes."""
        rest, guild = self._guild.owner.rest, self._guild.id
        categories = [each for each in now.values() if each["type"] == 4]
        children = [each for each in now.values() if each["type"] == 0]
        category, child = self._rng.choice(categories), self._rng.choice(children)
        changed = self._rng.choice((category, category, child))
        path = f"/channels/{changed['id']}"
        match self._rng.randrange(8):
            case 0 | 1 | 2:
                overwrite = self._overwrite()
                await rest.put(f"{path}/permissions/{overwrite['id']}", overwrite)
            case 3 if changed["permission_overwrites"]:
                target = self._rng.choice(changed["permission_overwrites"])["id"]
                await rest.delete(f"{path}/permissions/{target}")
            case 4:
                wanted = {each["id"]: each for each in (self._overwrite(), self._overwrite())}
                await rest.patch(path, {"permission_overwrites": [*wanted.values()]})
            case 5:
                move = {"id": child["id"], "parent_id": category["id"], "lock_permissions": True}
                await rest.patch(f"/guilds/{guild}/channels", [move])
                return str(child["id"])
            case 6 if self.roles:
                await rest.delete(f"/guilds/{guild}/roles/{self.roles.pop()}")
                return None
            case _:
                await rest.patch(f"/channels/{child['id']}", {"parent_id": category["id"]})
                return str(child["id"])
        return str(changed["id"])

    def _overwrite(self) -> Json:
        roles = [(self._guild.id, 0), *((role, 0) for role in self.roles)]
        target, kind = self._rng.choice([*roles, *((each, 1) for each in self._people)])
        side = self._rng.choice(("allow", "deny"))
        return {"id": target, "type": kind, side: str(self._rng.choice((VIEW, SEND)))}


def synced(channels: dict[str, Json], channel: Json) -> bool:
    parent = channels.get(str(channel["parent_id"]))
    return parent is not None and (
        parent["permission_overwrites"] == channel["permission_overwrites"]
    )


@pytest.mark.parametrize("seed", range(3))
async def test_synced_children_stay_in_sync_through_random_changes(world: World, seed: int) -> None:
    rng = random.Random(seed)
    names = ["bob", "carol", "dave"]
    guild = await world.guild("alice", names)
    people = [each.id for each in await world.people(*names)]
    changes = Changes(rng, guild, people)
    await changes.start()
    await assign_roles(world, guild, "bob", changes.roles[0])
    await assign_roles(world, guild, "carol", *changes.roles[1:])
    watched: list[tuple[str, Mirror]] = [
        (name, await mirrored(world, name, WITHOUT_PRESENCES)) for name in ("alice", *names)
    ]
    before = await listed(guild)
    seen = 0
    for _ in range(40):
        roles = set(changes.roles)
        touched = await changes.one(before)
        gone = roles - set(changes.roles)
        after = await listed(guild)
        for channel_id, channel in before.items():
            if channel["type"] != 0 or channel_id == touched:
                continue
            now = after[channel_id]
            if synced(before, channel):
                assert synced(after, now), channel_id
                seen += now["permission_overwrites"] != channel["permission_overwrites"]
            else:
                left = [each for each in channel["permission_overwrites"] if each["id"] not in gone]
                assert now["permission_overwrites"] == left
        before = after
    assert seen > 5
    fresh = {name: await mirrored(world, name, WITHOUT_PRESENCES) for name, _ in watched}
    await agree(watched, fresh)

"""Member lists: the members that a client shows beside a channel, kept current by operations."""

from __future__ import annotations

import asyncio
import random

import pytest

from chatd.core.murmur import murmur3
from chatd.services.guilds import member_lists as reading
from tests.helpers.fleet import Fleet
from tests.helpers.member_lists import (
    VIEW,
    Shown,
    answer,
    ids,
    invalidated,
    request,
    role,
    subscription,
    until,
)
from tests.helpers.user_clients import connect
from tests.world import TIMEOUT_S, Client, World, like


async def test_list_has_groups_of_roles_and_presences(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    alice, bob, carol = await ids(world, "alice", "bob", "carol")
    staff = await role(guild, "staff", hoist=True)
    await guild.owner.rest.put(f"/guilds/{guild.id}/members/{carol}/roles/{staff}")
    client = await connect(world, "alice")
    shown = Shown()
    shown.apply(first := await request(client, guild))
    assert first == like(guild_id=guild.id, id="everyone", member_count=3)
    assert first["ops"][0]["range"] == [0, 99]
    rows = ["# online", f"{alice} None online"]
    await until(client, shown, [*rows, "# offline", f"{bob} None offline", f"{carol} None offline"])
    assert shown.groups == [("online", 1), ("offline", 2)]
    await world.online("carol", presence={"status": "dnd"})
    staff_rows = [f"# {staff}", f"{carol} None dnd"]
    await until(client, shown, [*staff_rows, *rows, "# offline", f"{bob} None offline"])
    await guild.owner.rest.delete(f"/guilds/{guild.id}/members/{carol}")
    await until(client, shown, [*rows, "# offline", f"{bob} None offline"])
    path = f"/guilds/{guild.id}/members/{bob}"
    await guild.owner.rest.patch(path, {"nick": "Zoe"})
    await until(client, shown, [*rows, "# offline", f"{bob} Zoe offline"])


async def test_role_that_becomes_a_group_rebuilds_the_list(world: World) -> None:
    guild = await world.guild(owner="alice")
    [alice] = await ids(world, "alice")
    plain = await role(guild, "plain")
    await guild.owner.rest.put(f"/guilds/{guild.id}/members/{alice}/roles/{plain}")
    client = await connect(world, "alice")
    shown = Shown()
    shown.apply(await request(client, guild))
    await until(client, shown, ["# online", f"{alice} None online"])
    await guild.owner.rest.patch(f"/guilds/{guild.id}/roles/{plain}", {"hoist": True})
    await until(client, shown, [f"# {plain}", f"{alice} None online"])
    await guild.owner.rest.delete(f"/guilds/{guild.id}/roles/{plain}")
    await until(client, shown, ["# online", f"{alice} None online"])


async def test_list_of_a_hidden_channel_has_those_who_see_it(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    alice, bob = await ids(world, "alice", "bob")
    overwrites = [
        {"id": guild.id, "type": 0, "deny": VIEW},
        {"id": bob, "type": 1, "allow": VIEW},
    ]
    hidden = await guild.channel("hidden", permission_overwrites=overwrites)
    client, stranger = await connect(world, "bob"), await connect(world, "carol")
    await client.send(14, subscription(guild, hidden.id, (0, 99)))
    await stranger.send(14, subscription(guild, hidden.id, (0, 99)))
    shown = Shown()
    shown.apply(first := (await client.next("GUILD_MEMBER_LIST_UPDATE")).d)
    named = ",".join(sorted([f"deny:{guild.id}", f"allow:{bob}"]))
    assert first["id"] == str(murmur3(named.encode()))
    offline = ["# offline", f"{alice} None offline"]
    await until(client, shown, ["# online", f"{bob} None online", *offline])
    received = await stranger.received_before_fence()
    assert "GUILD_MEMBER_LIST_UPDATE" not in [each.t for each in received]
    await guild.owner.rest.delete(f"/channels/{hidden.id}/permissions/{bob}")
    assert await invalidated(client) == [0, 99]


async def test_large_guild_lists_only_those_online(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MAX_WITH_OFFLINE", 2)
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    alice, carol = await ids(world, "alice", "carol")
    client = await connect(world, "alice")
    shown = Shown()
    shown.apply(await request(client, guild))
    rows = ["# online", f"{alice} None online"]
    await until(client, shown, rows)
    [online] = await world.online("carol")
    await until(client, shown, [*rows, f"{carol} None online"])
    await online.send(3, {"status": "invisible", "since": 0, "activities": [], "afk": False})
    await until(client, shown, rows)


@pytest.mark.parametrize("seed", range(3))
async def test_list_of_a_client_converges_to_the_true_one(world: World, seed: int) -> None:
    """After random joins, departures, presences, names and roles."""
    rng = random.Random(seed)
    names = [f"p{number}" for number in range(6)]
    guild = await world.guild(owner="alice", members=names[:3])
    people = await world.people(*names)
    roles = [await role(guild, name, hoist=True) for name in "xy"]
    client = await connect(world, "alice")
    shown = Shown()
    shown.apply(await request(client, guild, (0, 99)))
    online: dict[str, Client] = {}
    for _ in range(30):
        number = rng.randrange(len(people))
        person, path = people[number], f"/guilds/{guild.id}/members/{people[number].id}"
        match rng.randrange(6):
            case 0:
                await guild.admit(person)
            case 1:
                await guild.owner.rest.call("DELETE", path)
            case 2:
                await guild.owner.rest.call("PATCH", path, {"nick": rng.choice("abc")})
            case 3:
                method = rng.choice(["PUT", "DELETE"])
                await guild.owner.rest.call(method, f"{path}/roles/{rng.choice(roles)}")
            case 4:
                changed = {"hoist": rng.random() < 0.5}
                await guild.owner.rest.patch(f"/guilds/{guild.id}/roles/{roles[0]}", changed)
            case _:
                if (leaving := online.pop(person.id, None)) is not None:
                    await leaving.leave()
                else:
                    [online[person.id]] = await world.online(names[number])
    async with asyncio.timeout(TIMEOUT_S):
        while True:
            fresh, other = Shown(), await connect(world, "alice")
            fresh.apply(await request(other, guild, (0, 99)))
            for each in client.received("GUILD_MEMBER_LIST_UPDATE"):
                shown.apply(each.d)
            if (shown.names(), shown.groups) == (fresh.names(), fresh.groups):
                break
            await other.leave()


async def test_lists_of_a_session_go_on_after_a_resume(world: World, fleet: Fleet) -> None:
    there = await fleet.start(23)
    guild = await world.guild(owner="alice", members=["bob"])
    [bob] = await ids(world, "bob")
    await there.person("alice")
    client = await connect(there, "alice")
    await request(client, guild)
    await fleet.stop(23, client)
    again, shown = await world.resumed("alice", client), Shown()
    await again.next("RESUMED")
    shown.apply(await answer(again))
    alice = (await world.person("alice")).id
    await until(
        again, shown, ["# online", f"{alice} None online", "# offline", f"{bob} None offline"]
    )
    await guild.owner.rest.delete(f"/guilds/{guild.id}/members/{bob}")
    await until(again, shown, ["# online", f"{alice} None online"])


async def test_list_outlives_the_channel_that_it_was_built_for(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    first, second = await guild.channel("first"), await guild.channel("second")
    alice, bob = await ids(world, "alice", "bob")
    client, other = await connect(world, "alice"), await connect(world, "alice")
    shown = Shown()
    await client.send(14, subscription(guild, first.id, (0, 99)))
    await answer(client)
    await other.send(14, subscription(guild, second.id, (0, 99)))
    shown.apply(await answer(other))
    await client.send(14, {"guild_id": guild.id, "channels": {}})
    await invalidated(client)
    await guild.owner.rest.delete(f"/channels/{first.id}")
    await guild.owner.rest.patch(f"/guilds/{guild.id}/members/{bob}", {"nick": "B"})
    rows = ["# online", f"{alice} None online", "# offline", f"{bob} B offline"]
    await until(other, shown, rows)

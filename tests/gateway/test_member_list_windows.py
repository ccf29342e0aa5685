"""Windows of member lists: how clients request, replace and end them, and updates of them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chatd.wire.schemas import gateway as commands
from tests.helpers.member_lists import (
    Shown,
    answer,
    ids,
    invalidated,
    request,
    subscription,
)
from tests.helpers.user_clients import connect
from tests.world import TIMEOUT_S, World, like


async def test_windows_are_replaced_and_ended(world: World) -> None:
    guild = await world.guild(owner="alice")
    client = await connect(world, "alice")
    wide = await request(client, guild, (0, 250))
    assert [each["range"] for each in wide["ops"]] == [[0, 99], [100, 199], [200, 299]]
    narrow = await request(client, guild, (0, 99))
    assert [(each["op"], each["range"]) for each in narrow["ops"]] == [
        ("INVALIDATE", [100, 199]),
        ("INVALIDATE", [200, 299]),
        ("SYNC", [0, 99]),
    ]
    await client.send(37, {"subscriptions": {guild.id: {"channels": {}}}})
    assert await invalidated(client) == [0, 99]
    await world.online("alice", presence={"status": "dnd"})
    await asyncio.sleep(0)
    assert client.received("GUILD_MEMBER_LIST_UPDATE") == []


async def test_bulk_subscription_sends_the_list_of_each_guild(world: World) -> None:
    guilds = [await world.guild(owner="alice") for _ in range(2)]
    strange = await world.guild(owner="mallory")
    client = await connect(world, "alice")
    wanted = {each.id: {"channels": {each.general.id: [[0, 99]]}} for each in (*guilds, strange)}
    await client.send(37, {"subscriptions": {**wanted, "1": {"typing": True}}})
    for guild in guilds:
        assert (await answer(client))["guild_id"] == guild.id
    updates = client.received("GUILD_MEMBER_LIST_UPDATE")
    assert strange.id not in [each.d["guild_id"] for each in updates]


@pytest.mark.parametrize(
    "data",
    [
        [],
        {},
        {"guild_id": "1", "channels": []},
        {"guild_id": "1", "channels": {"x": []}},
        {"guild_id": "1", "channels": {"1": [[0]]}},
        {"guild_id": "1", "channels": {"1": [[5, 1]]}},
        {"guild_id": "1", "channels": {"1": [[-1, 5]]}},
        {"guild_id": "1", "channels": {"1": ["ab"]}},
    ],
    ids=repr,
)
async def test_invalid_subscription_closes_with_decode_error(world: World, data: Any) -> None:
    await world.person("alice")
    client = await connect(world, "alice")
    await client.send(14, data)
    assert await client.closed() == 4002


async def test_typing_is_not_sent_without_a_subscription(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    client, other = await connect(world, "alice"), await connect(world, "alice")
    path = f"/channels/{guild.general.id}/typing"
    await client.send(14, {"guild_id": guild.id, "typing": False, "channels": {}})
    await client.received_before_fence()
    await bob.rest.post(path)
    await other.next("TYPING_START")
    assert [each.t for each in await client.received_before_fence()].count("TYPING_START") == 0
    await client.send(37, {"subscriptions": {guild.id: {"typing": True}}})
    await client.received_before_fence()
    await bob.rest.post(path)
    await client.next("TYPING_START")


async def test_bots_get_no_lists(world: World) -> None:
    """They would learn of members without the privileged intents."""
    guild = await world.guild(owner="alice", members=["bob"])
    await world.bot("robot", "alice", guild)
    [robot] = await world.online("robot", intents=1)
    await robot.send(14, subscription(guild, guild.general.id, (0, 99)))
    await robot.send(35, {"guild_id": guild.id, "query": ""})  # a fence: one queue for both
    while (received := await robot.next_any()).t != "GUILD_MEMBERS_CHUNK":
        assert received.t != "GUILD_MEMBER_LIST_UPDATE"
    assert received.d["members"] == []


async def test_each_update_begins_with_an_operation_that_has_items(world: World) -> None:
    """Fermi reads the items of the first operation, whichever it is."""
    guild = await world.guild(owner="alice", members=["bob"])
    erin = await world.person("erin")
    client, shown = await connect(world, "alice"), Shown()
    shown.apply(await request(client, guild))
    [bob] = await ids(world, "bob")
    everyone = ["# online", f"{guild.owner.id} None online"]
    seen: list[str] = []

    async def until_shown(expected: list[str]) -> None:
        async with asyncio.timeout(TIMEOUT_S):
            while shown.names() != expected:
                update = (await client.next("GUILD_MEMBER_LIST_UPDATE")).d
                shown.apply(update)
                seen.extend(op["op"] for op in update["ops"])
                assert isinstance(update["ops"][0]["items"], list)

    await guild.admit(erin)
    offline = [f"{bob} None offline", f"{erin.id} None offline"]
    await until_shown([*everyone, "# offline", *offline])
    await world.rest("bob").delete(f"/users/@me/guilds/{guild.id}")
    await until_shown([*everyone, "# offline", offline[1]])
    await erin.rest.patch(f"/guilds/{guild.id}/members/@me", {"nick": "Z"})
    await until_shown([*everyone, "# offline", f"{erin.id} Z offline"])
    update = await request(client, guild, (100, 199))
    assert [(op["op"], "items" in op) for op in update["ops"]] == [
        ("INVALIDATE", True),
        ("SYNC", True),
    ]
    assert {"INSERT", "DELETE"} <= set(seen)


async def test_update_of_counts_alone_has_an_operation(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "WINDOW_SIZE", 1)
    guild = await world.guild(owner="alice", members=["bob"])
    client = await connect(world, "alice")
    update = await request(client, guild, (0, 0))
    group = {"id": "online", "count": 1}
    while update["groups"] != [group, {"id": "offline", "count": 1}]:
        update = (await client.next("GUILD_MEMBER_LIST_UPDATE")).d
    await guild.admit(await world.person("erin"))
    update = (await client.next("GUILD_MEMBER_LIST_UPDATE")).d
    assert update["groups"] == [group, {"id": "offline", "count": 2}]
    assert update["ops"] == [like(op="UPDATE", index=0, item={"group": group})]

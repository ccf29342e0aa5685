"""Blocks: what a blocked person can no longer do, and what does not change."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import quote

import pytest

from tests.conftest import Server
from tests.helpers.locks import held_stream
from tests.helpers.relationships import (
    BLOCKED,
    FRIEND,
    NO_REQUESTS,
    PATH,
    block,
    friend_of,
    is_refused,
    kinds,
    names,
    open_dm,
    open_group,
    request,
    write,
)
from tests.world import Answer, World, like


async def test_block_ends_a_friendship_and_is_hidden(world: World) -> None:
    alice, bob = await world.friends("alice", "bob")
    ours, theirs = await world.online("alice", "bob")
    await block(alice, bob)
    await block(alice, bob)
    received = await ours.received_before_fence()
    assert names(received) == ["RELATIONSHIP_ADD"]
    assert received[0].d == like(id=bob.id, type=BLOCKED)
    received = await theirs.received_before_fence()
    assert names(received) == ["RELATIONSHIP_REMOVE"]
    assert received[0].d == like(id=alice.id, type=FRIEND)
    assert (await kinds(alice), await kinds(bob)) == ({bob.id: BLOCKED}, {})
    # The error is that of a person who accepts no requests from strangers.
    blocked = await request(bob, alice)
    dave = await world.person("dave")
    await dave.rest.patch("/users/@me/settings", {"friend_source_flags": NO_REQUESTS})
    closed = await request(bob, dave)
    assert (blocked.status, blocked.raw) == (closed.status, closed.raw)
    assert is_refused(blocked, 80000, 400)
    assert is_refused(await request(alice, bob), 80001, 400)  # the block is her own
    await alice.rest.delete(f"{PATH}/{bob.id}")
    assert (await ours.next("RELATIONSHIP_REMOVE")).d == like(id=bob.id, type=BLOCKED)
    assert await theirs.received_before_fence() == []
    assert (await request(alice, await world.person("carol"))).status == 204


@pytest.mark.parametrize("how", ["PUT", "DELETE"])
async def test_mutual_blocks_are_independent(world: World, how: str) -> None:
    alice, bob = await world.people("alice", "bob")
    await block(alice, bob)
    await block(bob, alice)
    if how == "DELETE":
        await alice.rest.delete(f"{PATH}/{bob.id}")
    assert await kinds(bob) == {alice.id: BLOCKED}
    assert await kinds(alice) == ({} if how == "DELETE" else {bob.id: BLOCKED})


BARRED = {
    "POST /channels/{channel}/messages": {"content": "x"},
    "PATCH /channels/{channel}/messages/{own}": {"content": "x"},
    "POST /channels/{channel}/typing": None,
    "PUT /channels/{channel}/messages/{message}/reactions/{other}/@me": None,
    "PUT /channels/{channel}/messages/{message}/reactions/{thumb}/@me": None,
    "PUT /channels/{channel}/messages/pins/{message}": None,
    "PUT /channels/{channel}/pins/{message}": None,
    "DELETE /channels/{channel}/messages/pins/{pinned}": None,
}
"""All actions with events in a direct message channel."""


@pytest.mark.parametrize("who", ["the blocked", "the blocker"])
@pytest.mark.parametrize("act", BARRED)
async def test_block_prevents_actions_in_direct_messages(world: World, act: str, who: str) -> None:
    await world.guild("alice", ["bob"])
    alice, bob = await world.friends("alice", "bob")
    acting, other = (bob, alice) if who == "the blocked" else (alice, bob)
    channel = (await open_dm(alice, bob)).json["id"]
    path = f"/channels/{channel}/messages"
    message = (await write(other, channel)).json["id"]
    own = (await write(acting, channel)).json["id"]
    pinned = (await write(other, channel)).json["id"]
    await other.rest.put(f"{path}/pins/{pinned}")
    await other.rest.put(f"{path}/{message}/reactions/{quote('👍')}/@me")
    await block(alice, bob)
    [hearing] = await world.online("alice" if other is alice else "bob")
    method, _, template = act.partition(" ")
    url = template.format(
        channel=channel,
        message=message,
        own=own,
        pinned=pinned,
        thumb=quote("👍"),
        other=quote("🙂"),
    )
    assert is_refused(await acting.rest.call(method, url, BARRED[act])), act
    assert await hearing.received_before_fence() == []
    # Messages are kept, can be read, and can be deleted by their authors.
    assert len(await acting.rest.get(path)) == 4
    assert (await open_dm(acting, other)).json["id"] == channel
    await acting.rest.delete(f"{path}/{own}")
    await alice.rest.delete(f"{PATH}/{bob.id}")
    assert (await write(acting, channel)).status == 200


async def test_blocked_person_cannot_add_the_blocker_to_groups(world: World) -> None:
    await world.guild("alice", ["bob", "carol"])
    alice, bob, carol = await world.people("alice", "bob", "carol")
    shared = (await open_group(bob, alice, carol)).json["id"]
    await block(alice, bob)
    assert is_refused(await open_group(bob, alice, carol))
    assert is_refused(await open_group(alice, bob, carol))
    group = (await open_group(bob, carol, await friend_of(world, bob))).json["id"]
    path = f"/channels/{group}/recipients/{alice.id}"
    assert is_refused(await bob.rest.call("PUT", path))
    assert (await carol.rest.call("PUT", path)).status == 204  # another member may
    for channel in (shared, group):  # a shared group is unchanged
        assert (await write(bob, channel)).status == 200
        assert (await write(alice, channel)).status == 200


async def test_blocked_person_stays_visible_in_a_guild(world: World) -> None:
    guild = await world.guild("alice", ["bob"])
    alice, bob = await world.people("alice", "bob")
    await block(alice, bob)
    sent = (await write(bob, guild.general.id)).json
    assert (await alice.rest.get(f"/channels/{guild.general.id}/messages"))[0] == sent
    thumb = f"/channels/{guild.general.id}/messages/{sent['id']}/reactions/{quote('👍')}/@me"
    await alice.rest.put(thumb)


@pytest.mark.parametrize("order", ["message first", "block first"])
async def test_message_is_before_or_after_a_block(world: World, server: Server, order: str) -> None:
    alice, bob = await world.friends("alice", "bob")
    channel = (await open_dm(alice, bob)).json["id"]
    calls: list[Callable[[], Awaitable[Answer]]] = [
        lambda: write(bob, channel),
        lambda: alice.rest.call("PUT", f"{PATH}/{bob.id}", {"type": 2}),
    ]
    if order == "block first":
        calls.reverse()
    with held_stream(server, alice.id) as held:
        tasks: list[asyncio.Future[Answer]] = []
        for place, call in enumerate(calls, 1):
            tasks.append(asyncio.ensure_future(call()))
            await held.waited_for_by(place)
        held.release()
        first, second = await asyncio.gather(*tasks)
    if order == "message first":
        assert (first.status, second.status) == (200, 204)
    else:
        assert first.status == 204
        assert is_refused(second)

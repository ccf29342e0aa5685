"""Limits of the number of friends, blocks, friend requests and groups of a person."""

from __future__ import annotations

import asyncio

import pytest

from chatd.services.accounts import relationships
from chatd.services.messages import private_channels
from tests.helpers.relationships import (
    FRIEND,
    INCOMING,
    PATH,
    is_refused,
    kinds,
    open_group,
    request,
)
from tests.world import World, befriend


async def test_groups_of_a_person_are_bounded(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_channels, "MAX_GROUPS", 3)
    alice, bob, *others = await world.friends("alice", "bob", *(f"p{n}" for n in range(5)))
    await befriend(bob, *others)
    await befriend(others[0], *others[1:3])
    # All add alice to a group at the same time.
    makers = [bob, *others]
    asked = [open_group(maker, alice, bob if maker is not bob else others[0]) for maker in makers]
    answers = await asyncio.gather(*asked)
    assert sorted(answer.status for answer in answers) == [200] * 3 + [400] * 3
    assert {answer.code for answer in answers if answer.status == 400} == {30011}
    assert len(await alice.rest.get("/users/@me/channels")) == 3
    assert is_refused(await open_group(alice, *others[1:3]), 30011, 400)
    group = (await open_group(others[0], *others[1:3])).json["id"]
    path = f"/channels/{group}/recipients/{alice.id}"
    assert is_refused(await others[0].rest.call("PUT", path), 30011, 400)


async def test_pending_requests_are_bounded_on_both_sides(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relationships, "MAX_REQUESTS", 2)
    alice, *others = await world.people("alice", *(f"p{n}" for n in range(5)))
    answers = await asyncio.gather(*(request(other, alice) for other in others))
    assert sorted(answer.status for answer in answers) == [204, 204, 400, 400, 400]
    assert {answer.code for answer in answers if answer.status == 400} == {80000}
    assert sorted((await kinds(alice)).values()) == [INCOMING, INCOMING]
    dave, *others = await world.people("dave", *(f"q{n}" for n in range(4)))
    answers = await asyncio.gather(*(request(dave, other) for other in others))
    assert sorted(answer.status for answer in answers) == [204, 204, 400, 400]
    assert {answer.code for answer in answers if answer.status == 400} == {30002}


async def test_friends_and_blocks_are_bounded(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relationships, "MAX_FRIENDS", 2)
    monkeypatch.setattr(relationships, "MAX_BLOCKS", 2)
    alice, *others = await world.people("alice", *(f"p{n}" for n in range(4)))
    for other in others:
        await request(other, alice)
    answers = await asyncio.gather(*(request(alice, other) for other in others))
    assert sorted(answer.status for answer in answers) == [204, 204, 400, 400]
    assert {answer.code for answer in answers if answer.status == 400} == {30002}
    assert sorted((await kinds(alice)).values()) == [FRIEND, FRIEND, INCOMING, INCOMING]
    # The other side is at the limit.
    full, late = alice, await world.person("late")
    await late.rest.call("PUT", f"{PATH}/{full.id}", {})
    assert is_refused(await request(full, late), 30002, 400)
    answers = await asyncio.gather(
        *(alice.rest.call("PUT", f"{PATH}/{other.id}", {"type": 2}) for other in others)
    )
    assert sorted(answer.status for answer in answers) == [204, 204, 400, 400]

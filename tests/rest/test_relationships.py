"""Friends, friend requests and nicknames."""

from __future__ import annotations

import asyncio
import random

import pytest

from tests.gateway.mirror import Mirror, agree, mirrored
from tests.helpers.relationships import (
    BLOCKED,
    FRIEND,
    INCOMING,
    OUTGOING,
    PATH,
    block,
    is_refused,
    kinds,
    request,
)
from tests.world import PASSWORD, Person, World, befriend, like


async def test_request_is_accepted_and_friendship_ended(world: World) -> None:
    alice, bob = await world.people("alice", "bob")
    ours, theirs = await world.online("alice", "bob")
    assert ours.ready["relationships"] == []
    body = {"username": bob.name.upper(), "discriminator": None}
    await alice.rest.post(PATH, body)
    added = (await ours.next("RELATIONSHIP_ADD")).d
    assert added == like(id=bob.id, type=OUTGOING, nickname=None, user=like(username=bob.name))
    added = (await theirs.next("RELATIONSHIP_ADD")).d
    assert added == like(id=alice.id, type=INCOMING, should_notify=True)
    await alice.rest.post(PATH, {**body, "discriminator": "0"})  # a repetition changes nothing
    assert await ours.received_before_fence() == await theirs.received_before_fence() == []
    assert (await request(bob, alice)).status == 204
    for client, other in ((ours, bob), (theirs, alice)):
        assert (await client.next("RELATIONSHIP_ADD")).d == like(id=other.id, type=FRIEND)
    assert is_refused(await request(bob, alice), 80007, 400)
    [fresh] = await world.online("alice")
    assert fresh.ready["relationships"] == await alice.rest.get(PATH)
    assert await kinds(bob) == {alice.id: FRIEND}
    await bob.rest.delete(f"{PATH}/{alice.id}")
    for client, other in ((ours, bob), (theirs, alice)):
        removed = (await client.next("RELATIONSHIP_REMOVE")).d
        assert removed == like(id=other.id, type=FRIEND)
    assert await kinds(alice) == await kinds(bob) == {}
    await bob.rest.delete(f"{PATH}/{alice.id}")  # nothing is left to end
    assert await theirs.received_before_fence() == []


@pytest.mark.parametrize("who", ["alice", "bob"])
async def test_request_is_cancelled_or_declined(world: World, who: str) -> None:
    alice, bob = await world.people("alice", "bob")
    await request(alice, bob)
    ours, theirs = await world.online("alice", "bob")
    other = bob if who == "alice" else alice
    await world.rest(who).delete(f"{PATH}/{other.id}")
    assert (await ours.next("RELATIONSHIP_REMOVE")).d == like(id=bob.id, type=OUTGOING)
    assert (await theirs.next("RELATIONSHIP_REMOVE")).d == like(id=alice.id, type=INCOMING)
    assert await kinds(alice) == await kinds(bob) == {}


async def test_invalid_requests_are_refused(world: World) -> None:
    alice = await world.person("alice")
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", "alice")
    for user_id, status, code in (
        (alice.id, 400, 80003),
        (bot.id, 400, 80002),
        (guild.id, 404, 10013),
        ("1", 404, 10013),
        ("x", 400, 50035),
    ):
        answer = await alice.rest.call("PUT", f"{PATH}/{user_id}", {})
        assert (answer.status, answer.code) == (status, code), answer.raw
    for body, code in (
        ({"username": "nobody at all"}, 80004),
        ({"username": alice.name}, 80003),
        ({"username": alice.name, "discriminator": 1234}, 80004),
        ({"username": "\ufdfa" * 64}, 80004),
        ({"username": "x" * 65}, 50035),
        ({"username": ""}, 50035),
        ({"username": alice.name, "discriminator": "12345"}, 50035),
        ({"username": alice.name, "discriminator": 1.5}, 50035),
        ({}, 50035),
    ):
        answer = await alice.rest.call("POST", PATH, body)
        assert (answer.status, answer.code) == (400, code), body
    answer = await alice.rest.call("PUT", f"{PATH}/{bot.id}", {"type": 3})
    assert is_refused(answer, 50035, 400)
    assert is_refused(await alice.rest.call("PUT", f"{PATH}/{alice.id}", {"type": 2}), 80003, 400)


async def test_nickname_is_visible_to_its_owner_only(world: World) -> None:
    alice, bob = await world.friends("alice", "bob")
    ours, theirs = await world.online("alice", "bob")
    await alice.rest.patch(f"{PATH}/{bob.id}", {"nickname": " Bobby "})
    assert (await ours.next("RELATIONSHIP_UPDATE")).d == like(id=bob.id, nickname="Bobby")
    assert (await alice.rest.get(PATH))[0] == like(nickname="Bobby", type=FRIEND)
    assert (await bob.rest.get(PATH))[0] == like(nickname=None)
    await alice.rest.patch(f"{PATH}/{bob.id}", {"nickname": "Bobby"})
    await alice.rest.patch(f"{PATH}/{bob.id}", {})
    assert await ours.received_before_fence() == await theirs.received_before_fence() == []
    await alice.rest.patch(f"{PATH}/{bob.id}", {"nickname": None})
    assert (await ours.next("RELATIONSHIP_UPDATE")).d["nickname"] is None
    answer = await alice.rest.call("PATCH", f"{PATH}/{bob.id}", {"nickname": "x" * 33})
    assert is_refused(answer, 50035, 400)
    await block(alice, bob)
    answer = await alice.rest.call("PATCH", f"{PATH}/{bob.id}", {"nickname": "x"})
    assert answer.status == 404


async def test_changes_affect_only_the_pair(world: World) -> None:
    alice, bob, carol, dave = await world.friends("alice", "bob", "carol", "dave")
    await befriend(bob, carol)
    await alice.rest.patch(f"{PATH}/{carol.id}", {"nickname": "C"})
    await alice.rest.patch(f"{PATH}/{bob.id}", {"nickname": "B"})
    await block(dave, alice)
    await alice.rest.delete(f"{PATH}/{bob.id}")
    assert [(each["id"], each["nickname"]) for each in await alice.rest.get(PATH)] == [
        (carol.id, "C")
    ]
    assert await kinds(bob) == {carol.id: FRIEND}
    assert await kinds(carol) == {alice.id: FRIEND, bob.id: FRIEND}
    assert await kinds(dave) == {alice.id: BLOCKED}


async def test_deletion_ends_friendships(world: World) -> None:
    alice, bob, carol, dave = await world.friends("alice", "bob", "carol", "dave")
    await befriend(bob, carol)
    await block(dave, bob)
    await request(bob, await world.person("erin"))
    ours, hers, his = await world.online("alice", "carol", "dave")
    await bob.rest.call("POST", "/users/@me/delete", {"password": PASSWORD})
    for client in (ours, hers):
        assert (await client.next("RELATIONSHIP_REMOVE")).d == like(id=bob.id, type=FRIEND)
    assert await his.received_before_fence() == []
    assert await kinds(alice) == {carol.id: FRIEND, dave.id: FRIEND}
    assert await kinds(carol) == {alice.id: FRIEND}
    assert await kinds(await world.person("erin")) == {}
    assert await kinds(dave) == {alice.id: FRIEND, bob.id: BLOCKED}
    assert is_refused(await request(alice, bob), 10013, 404)
    await dave.rest.delete(f"{PATH}/{bob.id}")
    assert await kinds(dave) == {alice.id: FRIEND}


async def test_relationship_has_the_bio_of_a_profile_that_it_shows(world: World) -> None:
    """As Fermi needs it to show a friend."""
    alice, bob, carol, dave = await world.people("alice", "bob", "carol", "dave")
    for each in (alice, bob, carol, dave):
        await each.rest.patch("/users/@me", {"bio": f"I am {each.name}."})
    [client] = await world.online("bob")
    await befriend(alice, bob)
    while (added := (await client.next("RELATIONSHIP_ADD")).d)["type"] != FRIEND:
        pass
    assert added["user"]["bio"] == f"I am {alice.name}."
    await request(carol, alice)
    await request(alice, dave)
    shown = {each["id"]: each["user"]["bio"] for each in await alice.rest.get(PATH)}
    assert shown == {bob.id: f"I am {bob.name}.", carol.id: f"I am {carol.name}.", dave.id: ""}


async def test_friends_see_a_profile(world: World) -> None:
    alice, bob, carol = await world.people("alice", "bob", "carol")
    await befriend(alice, bob)
    await request(carol, alice)
    path = f"/users/{alice.id}/profile"
    assert (await bob.rest.get(path))["mutual_guilds"] == []
    assert is_refused(await carol.rest.call("GET", path), 50001)


async def test_bots_have_no_relationships(world: World) -> None:
    guild = await world.guild("alice")
    await world.bot("bot", "alice", guild)
    [client] = await world.online("bot", intents=1)
    assert "relationships" not in client.ready


CONSISTENT = {
    (FRIEND, FRIEND),
    (INCOMING, OUTGOING),
    (OUTGOING, INCOMING),
    (BLOCKED, None),
    (None, BLOCKED),
    (BLOCKED, BLOCKED),
    (None, None),
}


async def act(rng: random.Random, person: Person, other: Person) -> None:
    path = f"{PATH}/{other.id}"
    method, body = rng.choice(
        [
            ("PUT", {}),
            ("PUT", {"type": 1}),
            ("PUT", {"type": 2}),
            ("DELETE", None),
            ("DELETE", None),
            ("PATCH", {"nickname": str(rng.randrange(3))}),
        ]
    )
    await person.rest.call(method, path, body)


@pytest.mark.parametrize("at_once", [1, 4])
@pytest.mark.parametrize("seed", range(3))
async def test_any_order_of_operations_is_consistent_for_both(
    world: World, seed: int, at_once: int
) -> None:
    rng = random.Random(seed)
    people = await world.people("alice", "bob")
    mirrors = [await mirrored(world, name) for name in ("alice", "bob")]
    for _ in range(20):
        acts = [act(rng, *rng.sample(people, 2)) for _ in range(at_once)]
        await asyncio.gather(*acts)
        alice, bob = people
        pair = ((await kinds(alice)).get(bob.id), (await kinds(bob)).get(alice.id))
        assert pair in CONSISTENT
    fresh: dict[str, Mirror] = {}
    for name in ("alice", "bob"):
        fresh[name] = await mirrored(world, name)
    await agree(list(zip(("alice", "bob"), mirrors, strict=True)), fresh)

"""Group commit of read states: each request learns its own outcome."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chatd.queries import read_states
from tests.conftest import Server
from tests.helpers.locks import held_stream
from tests.world import Answer, Client, Guild, Person, World, like

NAMES = ("bob", "carol", "dave", "erin", "frank")


async def sent_in(guild: Guild, count: int) -> list[str]:
    """Send messages, and return their ids."""
    path = f"/channels/{guild.general.id}/messages"
    return [(await guild.owner.rest.post(path, {"content": "x"}))["id"] for _ in range(count)]


async def acknowledge(person: Person, guild: Guild, message: str, body: Any = None) -> Answer:
    path = f"/channels/{guild.general.id}/messages/{message}/ack"
    return await person.rest.call("POST", path, body)


async def read_up_to(person: Person, guild: Guild) -> str:
    states = await person.rest.get("/users/@me/read-states")
    return str(next(each for each in states if each["id"] == guild.general.id)["last_message_id"])


async def acknowledged(client: Client) -> list[str]:
    received = await client.received_before_fence()
    return [each.d["message_id"] for each in received if each.t == "MESSAGE_ACK"]


async def test_acknowledgements_of_many_users_share_statements(
    world: World, statements: list[str]
) -> None:
    guild = await world.guild(owner="alice", members=NAMES)
    people = await world.people(*NAMES)
    clients = await world.online(*NAMES)
    first, second = await sent_in(guild, 2)
    for person in people:
        await acknowledge(person, guild, first)
    for client in clients:
        assert await acknowledged(client) == [first]
    before = len(statements)
    answers = await asyncio.gather(*(acknowledge(each, guild, second) for each in people))
    assert [each.json for each in answers] == [{"token": None}] * len(people)
    assert len(statements) - before <= 3, statements[before:]
    for person, client in zip(people, clients, strict=True):
        assert await acknowledged(client) == [second]
        assert await read_up_to(person, guild) == second


async def test_each_acknowledgement_of_a_batch_has_its_own_outcome(
    world: World, server: Server
) -> None:
    """One user has lost its access, and the stream of another one is locked."""
    guild = await world.guild(owner="alice", members=NAMES)
    people = await world.people(*NAMES)
    clients = await world.online(*NAMES)
    kicked, locked, *others = people
    first, second = await sent_in(guild, 2)
    for person in people:
        await acknowledge(person, guild, first)
    await guild.owner.rest.delete(f"/guilds/{guild.id}/members/{kicked.id}")
    with held_stream(server, locked.id) as held:
        running = {
            each.id: asyncio.create_task(acknowledge(each, guild, second)) for each in people
        }
        await held.waited_for_by(1)
        refused = await running[kicked.id]
        assert (refused.status, refused.code) == (403, 50001)
        for each in others:
            assert (await running[each.id]).status == 200
        assert not running[locked.id].done()
        held.release()
        assert (await running[locked.id]).status == 200
    for client in clients[1:]:
        assert await acknowledged(client) == [first, second]
    assert await read_up_to(locked, guild) == second


async def test_acknowledgements_of_one_user_never_move_back(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    [bob] = await world.people("bob")
    [client] = await world.online("bob")
    sent = await sent_in(guild, 8)
    order = [3, 0, 7, 1, 6, 2, 5, 4]
    answers = await asyncio.gather(*(acknowledge(bob, guild, sent[each]) for each in order))
    assert {each.status for each in answers} == {200}
    assert await read_up_to(bob, guild) == sent[7]
    received = await acknowledged(client)
    assert received == sorted(received, key=int)
    assert received[-1] == sent[7]
    assert (await acknowledge(bob, guild, sent[2])).status == 200
    assert await acknowledged(client) == []  # nothing has changed
    assert (await acknowledge(bob, guild, sent[2], {"manual": True})).status == 200
    assert await acknowledged(client) == [sent[2]]


async def test_removed_recipient_cannot_acknowledge(world: World) -> None:
    alice, bob, carol = await world.friends("alice", "bob", "carol")
    body = {"recipients": [bob.id, carol.id]}
    group = (await alice.rest.post("/users/@me/channels", body))["id"]
    path = f"/channels/{group}/messages"
    sent = [(await alice.rest.post(path, {"content": "x"}))["id"] for _ in range(2)]
    [client] = await world.online("carol")
    await carol.rest.post(f"{path}/{sent[0]}/ack")
    assert (await client.next("MESSAGE_ACK")).d == like(channel_id=group, message_id=sent[0])
    await alice.rest.delete(f"/channels/{group}/recipients/{carol.id}")
    refused = await carol.rest.call("POST", f"{path}/{sent[1]}/ack")
    assert (refused.status, refused.code) == (403, 50001)


@pytest.mark.expects_error_log
async def test_row_that_fails_does_not_fail_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    guild = await world.guild(owner="alice", members=NAMES)
    people = await world.people(*NAMES)
    [message] = await sent_in(guild, 1)

    async def fail(*_: object) -> None:
        raise RuntimeError("cannot be stored")

    monkeypatch.setattr(read_states, "move_many", fail)
    answers = await asyncio.gather(*(acknowledge(each, guild, message) for each in people))
    assert {each.status for each in answers} == {200}
    for person in people:
        assert await read_up_to(person, guild) == message

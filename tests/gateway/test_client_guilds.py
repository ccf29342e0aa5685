"""READY of clients of people, joined from guilds in memory, equals that built from the database."""

from __future__ import annotations

import asyncio
import itertools
import random
from typing import Any

import orjson
import pytest

from chatd.core import snowflake
from chatd.core.capabilities import KNOWN, Capabilities, UserClient
from chatd.core.ids import ChannelId, GuildId, UserId
from chatd.core.notifications import suppressed_mentions
from chatd.db.cursor import Cursor
from chatd.gateway.handler import GATEWAY
from chatd.queries import notifications, read_states
from chatd.services import guild_snapshot
from chatd.services.guild_snapshot import GuildSnapshot
from chatd.web.keys import DEPENDENCIES
from chatd.wire import payloads
from chatd.wire.payloads import client_ready
from tests.conftest import Server
from tests.gateway.mirror import differences
from tests.helpers.random_acts import PEOPLE, Acts
from tests.helpers.user_clients import DISCORD_PY_SELF, FERMI, SELFBOT, connect
from tests.world import Client, Guild, Person, World

Json = dict[str, Any]

LARGE_THRESHOLD = 50
"""That of clients which do not send one."""


def in_ready(snapshot: GuildSnapshot, client: UserClient) -> Json:
    """Return a guild inside READY, rendered as a whole."""
    state = {**snapshot.state(), "presences": [], "activity_instances": []}
    if client.dedupes:
        del state["members"], state["presences"]
    if client.awaits_supplement:
        del state["voice_states"], state["activity_instances"]
    shown: Json = orjson.loads(
        payloads.encode(client_ready.guild_created(state, with_properties=client.wants_properties))
    )
    return shown


async def shown_read_states(
    cur: Cursor, user_id: UserId, found: list[GuildSnapshot], client: UserClient
) -> dict[str, Json]:
    """Return the read states of the channels that a member sees, read one guild at a time."""
    suppressed = suppressed_mentions(await notifications.list_for_user(cur, user_id))
    shown: dict[str, Json] = {}
    for guild in found:
        joined = snowflake.at(guild.own.joined_at)
        since: dict[ChannelId, int] = {
            channel.id: joined
            for channel in guild.visible
            if channel.last_message_id is not None and channel.last_message_id > joined
        }
        for each in await read_states.for_ready(
            cur,
            user_id,
            since,
            private=(),
            roles=guild.own.roles,
            without_everyone=since if guild.guild.id in suppressed.everyone else (),
            without_roles=since if guild.guild.id in suppressed.roles else (),
        ):
            shown[str(each.channel_id)] = client_ready.read_state(each, client.capabilities)
    return shown


async def built(
    server: Server, guilds: list[Guild], person: Person, client: UserClient
) -> tuple[dict[str, Json], dict[str, Json]]:
    """Return the guilds and the read states of a member, built from the database."""
    assert server.runner.app is not None
    user_id = UserId(int(person.id))
    transaction = await server.runner.app[DEPENDENCIES].database.begin(snapshot=True)
    try:
        found: list[GuildSnapshot] = []
        for guild in guilds:
            snapshot = await guild_snapshot.get(
                transaction.cur,
                GuildId(int(guild.id)),
                user_id,
                large_threshold=0 if client.dedupes else LARGE_THRESHOLD,
            )
            found += [] if snapshot is None else [snapshot]
        states = await shown_read_states(transaction.cur, user_id, found, client)
    finally:
        await transaction.rollback()
    return {str(each.guild.id): in_ready(each, client) for each in found}, states


def comparable(guild: Json) -> Json:
    """Return a guild in which the overwrites of a channel have no order."""
    channels = [
        {**each, "permission_overwrites": {one["id"]: one for one in each["permission_overwrites"]}}
        for each in guild["channels"]
    ]
    return {**guild, "channels": channels}


def read_states_of(client: Client) -> dict[str, Json]:
    shown = client.ready["read_state"]
    entries = shown["entries"] if isinstance(shown, dict) else shown
    return {each["id"]: each for each in entries}


@pytest.mark.parametrize("capabilities", [DISCORD_PY_SELF, FERMI, SELFBOT])
async def test_ready_equals_the_one_built_from_the_database(
    world: World, server: Server, capabilities: int
) -> None:
    rng = random.Random(capabilities)
    form = UserClient(Capabilities(capabilities & KNOWN), "windows")
    guilds = [await world.guild("alice", ["bob", "carol", "dave"]) for _ in range(4)]
    await world.online("alice", "bob")  # so that the feeds of the guilds stay
    ids = [(await world.person(name)).id for name in PEOPLE]
    mentions = " ".join(f"<@{each}>" for each in ids)
    acts = Acts(rng, (world,), list(guilds))
    for _ in range(10):
        await asyncio.gather(*(acts.one() for _ in range(4)))
        path = f"/channels/{guilds[0].general.id}/messages"
        await guilds[0].owner.rest.call("POST", path, {"content": mentions})
        name = rng.choice(PEOPLE)
        client = await connect(world, name, capabilities)
        expected, states = await built(server, guilds, await world.person(name), form)
        shown = {each["id"]: each for each in client.ready["guilds"]}
        for guild in guilds:
            one, other = shown.get(guild.id), expected.get(guild.id)
            assert (one is None) == (other is None)
            if one is not None and other is not None:
                assert differences(comparable(one), comparable(other)) == []
        channels = {each["id"] for guild in expected.values() for each in guild["channels"]}
        of_guilds = {key: each for key, each in read_states_of(client).items() if key in channels}
        assert of_guilds == states
        await client.leave()


async def test_client_does_not_read_guilds_in_memory(world: World, statements: list[str]) -> None:
    await world.guild("alice", ["bob", "carol"])
    await (await connect(world, "alice")).leave()
    statements.clear()
    client = await connect(world, "bob")
    assert len(client.ready["guilds"]) == 1
    assert not any("FROM overwrites" in each for each in statements)
    assert not any("FROM roles" in each for each in statements)


async def test_joined_guild_is_encoded_once_for_clients_that_receive_the_same(
    world: World, server: Server
) -> None:
    """A user with 100 sessions must not cause 100 encodings of a large guild."""
    guild = await world.guild("alice")
    bob = await world.person("bob")
    different = [sum(each) for each in itertools.combinations(Capabilities, 3)]
    clients = [await connect(world, "bob", each) for each in different]
    await guild.admit(bob)
    for client in clients:
        assert (await client.next("GUILD_CREATE")).d["id"] == guild.id
    hub = server.runner.app[GATEWAY].hub
    events = [
        dispatch.event
        for session in hub.sessions_of(UserId(int(bob.id)))
        for dispatch in session.replay_buffer
        if dispatch.event.name == "GUILD_CREATE"
    ]
    assert len(events) == len(clients)
    assert len({id(each.body) for each in events}) == 2  # with and without `properties`


async def test_messages_sent_while_a_client_starts_arrive_once(world: World) -> None:
    guild = await world.guild("alice", ["bob"])
    await world.online("alice")
    path = f"/channels/{guild.general.id}/messages"
    mention = {"content": f"<@{(await world.person('bob')).id}>"}
    sent: list[str] = []
    starting = True

    async def write() -> None:
        while starting:
            sent.append((await guild.owner.rest.post(path, mention))["id"])

    writing = asyncio.create_task(write())
    clients = [await connect(world, "bob") for _ in range(8)]
    starting = False
    await writing
    for client in clients:
        counted = sum(each["mention_count"] for each in client.ready["read_state"]["entries"])
        arrived = [
            each.d["id"]
            for each in await client.received_before_fence()
            if each.t == "MESSAGE_CREATE"
        ]
        assert counted + len(arrived) == len(sent)
        assert arrived == sent[counted:]
        last = client.ready["guilds"][0]["channels"][0]["last_message_id"]
        assert not counted or int(last) >= int(sent[counted - 1])

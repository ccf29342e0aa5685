"""GUILD_CREATE joined from encoded parts equals the one that is built from the database."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import orjson
import pytest

from chatd.core.ids import GuildId, StreamId, UserId
from chatd.events import guilds as events
from chatd.gateway.fanout import encoded_guild
from chatd.gateway.fanout.encoded_guild import EncodedGuild
from chatd.gateway.fanout.guild_feed import GuildFeed
from chatd.gateway.handler import GATEWAY
from chatd.services import guild_snapshot
from chatd.web.keys import DEPENDENCIES
from chatd.wire import payloads
from tests.conftest import ServeMore, Server
from tests.gateway.mirror import differences
from tests.helpers.random_acts import PEOPLE, Acts
from tests.helpers.roles import assign_roles, create_role
from tests.world import WITHOUT_PRESENCES, Guild, World, like, world_on

Json = dict[str, Any]


def feed_of(server: Server, guild: Guild) -> GuildFeed:
    assert server.runner.app is not None
    feed = server.runner.app[GATEWAY].hub.feed(StreamId(int(guild.id)))
    assert isinstance(feed, GuildFeed)
    return feed


def known(server: Server, guild: Guild) -> EncodedGuild | None:
    """Return what an instance keeps of a guild."""
    return feed_of(server, guild).visibility.payloads.encoded


def comparable(guild: Json) -> Json:
    """Return a guild without presences. The overwrites of a channel have no order."""
    channels = [
        {
            **channel,
            "permission_overwrites": {
                each["id"]: each for each in channel["permission_overwrites"]
            },
        }
        for channel in guild["channels"]
    ]
    order = [each["id"] for each in channels]
    without = {key: each for key, each in guild.items() if key not in ("presences", "unavailable")}
    return {**without, "channels": {each["id"]: each for each in channels}, "order": order}


async def built(server: Server, guild: Guild, user_id: str, threshold: int) -> Json | None:
    """Return the GUILD_CREATE of a member, built from the database; None for others."""
    assert server.runner.app is not None
    transaction = await server.runner.app[DEPENDENCIES].database.begin(snapshot=True)
    try:
        found = await guild_snapshot.get(
            transaction.cur,
            GuildId(int(guild.id)),
            UserId(int(user_id)),
            large_threshold=threshold,
        )
    finally:
        await transaction.rollback()
    if found is None:
        return None
    return comparable(orjson.loads(payloads.encode(found.state())))


async def sent(world: World, name: str, threshold: int = 50) -> dict[str, Json]:
    """Return the guilds that a new session receives."""
    client = await world.socket()
    await client.send(
        2,
        {
            "token": (await world.person(name)).token,
            "properties": {},
            "intents": WITHOUT_PRESENCES,
            "large_threshold": threshold,
        },
    )
    ready = (await client.next("READY")).d
    created = [(await client.next("GUILD_CREATE")).d for _ in ready["guilds"]]
    await client.leave()
    assert all(each["unavailable"] is False and each["presences"] == [] for each in created)
    return {each["id"]: comparable(each) for each in created}


async def change_messages(rng: random.Random, guild: Guild) -> None:
    """Write and delete messages in a channel, often its last ones."""
    rest = guild.owner.rest
    listed = await rest.call("GET", f"/guilds/{guild.id}/channels")
    if listed.status != 200:
        return
    channel = rng.choice([each for each in listed.json if each["type"] == 0] or [{"id": "1"}])
    path = f"/channels/{channel['id']}/messages"
    made = [await rest.call("POST", path, {"content": "hi"}) for _ in range(rng.randrange(3))]
    ids = [each.json["id"] for each in made if each.status == 200]
    if len(ids) == 2 and rng.random() < 0.5:
        await rest.call("POST", f"{path}/bulk-delete", {"messages": ids})
    elif ids:
        await rest.call("DELETE", f"{path}/{rng.choice(ids)}")


@pytest.mark.parametrize("seed", range(3))
async def test_joined_guilds_equal_those_built_from_the_database(
    world: World, server: Server, serve_more: ServeMore, seed: int
) -> None:
    rng = random.Random(seed)
    async with (
        serve_more(worker_id=27) as second,
        world_on(second.url, second.gateway_url) as there,
    ):
        there.share_people(world)
        guilds = [await world.guild("alice", ["bob", "carol", "dave"]) for _ in range(2)]
        places = ((world, server), (there, second))
        for where, _ in places:
            await where.online("alice", "bob")  # so that the feeds of the guilds stay
        before = {
            (number, guild.id): known(place, guild)
            for number, (_, place) in enumerate(places)
            for guild in guilds
        }
        assert None not in before.values()
        acts = Acts(rng, (world, there), list(guilds))
        for _ in range(12):
            await asyncio.gather(*(acts.one() for _ in range(3)))
            await change_messages(rng, rng.choice(guilds))
            (where, place), name = rng.choice(places), rng.choice(PEOPLE)
            threshold = rng.choice((50, 50, 250))
            person = await world.person(name)
            received = await sent(where, name, threshold)
            for guild in guilds:
                expected = await built(place, guild, person.id, threshold)
                assert differences(received.get(guild.id), expected) == []
        kept = [
            known(place, guild) is before[number, guild.id]
            for number, (_, place) in enumerate(places)
            for guild in guilds
        ]
        assert any(kept), "all guilds were read again"


async def test_guild_is_read_once_for_all_sessions(
    world: World, server: Server, statements: list[str]
) -> None:
    guild = await world.guild("alice", ["bob", "carol"])
    await world.online("alice")
    statements.clear()
    received = await sent(world, "bob")
    assert not any("count(*)" in each for each in statements)
    assert not any("FROM overwrites" in each for each in statements)
    bob = await world.person("bob")
    assert received[guild.id] == await built(server, guild, bob.id, 50)


async def test_last_message_is_read_again_after_its_deletion(world: World, server: Server) -> None:
    guild = await world.guild("alice", ["bob"])
    quiet = await guild.channel("quiet")
    path = f"/channels/{guild.general.id}/messages"
    first, last = [await guild.owner.rest.post(path, {"content": "hi"}) for _ in range(2)]
    await world.online("alice")
    encoded = known(server, guild)
    await guild.owner.rest.delete(f"{path}/{last['id']}")
    shown = {
        each["id"]: each["last_message_id"]
        for each in (await sent(world, "bob"))[guild.id]["channels"].values()
    }
    assert shown == {guild.general.id: first["id"], quiet.id: None}
    await guild.owner.rest.post(f"{path}/bulk-delete", {"messages": [first["id"], last["id"]]})
    channels = (await sent(world, "bob"))[guild.id]["channels"]
    assert [each["last_message_id"] for each in channels.values()] == [None, None]
    assert known(server, guild) is encoded


async def test_imported_messages_are_read(world: World, server: Server) -> None:
    guild = await world.guild("alice", ["bob"])
    await world.online("alice")
    assert server.runner.app is not None
    dependencies = server.runner.app[DEPENDENCIES]
    async with dependencies.database.cursor() as cur:
        await cur.execute(
            """
            INSERT INTO messages (channel_id, id, author_id, content)
            VALUES (%(channel_id)s, 5, %(author_id)s, 'imported')
            """,
            {"channel_id": int(guild.general.id), "author_id": int(guild.owner.id)},
        )
    async with dependencies.begin() as work:
        await work.lock(GuildId(int(guild.id)))
        work.emit(events.history_imported(GuildId(int(guild.id))))
    [channel] = (await sent(world, "bob"))[guild.id]["channels"].values()
    assert channel["last_message_id"] == "5"


async def test_guild_beyond_the_budget_is_read_for_each_session(
    world: World, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoded_guild, "MAX_KEPT", 0)
    guild = await world.guild("alice", ["bob"])
    await world.online("alice")
    encoded = known(server, guild)
    assert encoded is not None and not encoded.can_list(50) and encoded.can_list(1)
    received = await sent(world, "bob")
    assert received[guild.id] == await built(server, guild, (await world.person("bob")).id, 50)


async def test_dropped_guild_leaves_the_budget(serve_more: ServeMore) -> None:
    """On a server of its own: the shared one drops guilds of earlier tests at any moment."""
    async with (
        serve_more(worker_id=26) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        budget = server.runner.app[GATEWAY].hub.member_budget
        guild = await world.guild("alice", ["bob"])
        before = budget.used
        [alice] = await world.online("alice")
        assert budget.used == before + 2
        await guild.admit(await world.person("carol"))
        bob = await world.person("bob")
        await guild.owner.rest.delete(f"/guilds/{guild.id}/members/{bob.id}")
        await guild.admit(bob)
        await alice.received_before_fence()
        assert budget.used == before + 3
        await guild.owner.rest.delete(f"/guilds/{guild.id}")
        await alice.next("GUILD_DELETE")
        assert budget.used == before


async def test_guild_that_grows_lists_the_own_member_only(
    world: World, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoded_guild, "MAX_LISTED", 2)
    guild = await world.guild("alice", ["bob"])
    role = await create_role(guild, "staff")
    await assign_roles(world, guild, "bob", role)
    await world.online("alice")
    assert len((await sent(world, "bob", 50))[guild.id]["members"]) == 2
    await guild.admit(await world.person("carol"))
    await guild.owner.rest.delete(f"/guilds/{guild.id}/roles/{role}")
    for name, threshold in (("bob", 50), ("carol", 50)):
        received = await sent(world, name, threshold)
        assert received[guild.id] == like(member_count=3, large=False)
        person = await world.person(name)
        assert received[guild.id] == await built(server, guild, person.id, threshold)

"""The search indexer: segments, failures, and deleted guilds."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from chatd.core.errors import ServiceUnavailable
from chatd.core.ids import StreamId
from chatd.db.cursor import Cursor
from chatd.db.pool import Database
from chatd.queries import search_index, search_upkeep
from chatd.services.maintenance import search_indexer
from tests.rest.searching import alone, catch_up, say, search, texts
from tests.world import World

SLOW_S = 60  # far longer than any statement may take


@pytest.fixture
def only_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the server's own indexer find no stream to index."""

    async def nothing(*_: object, **__: object) -> list[StreamId]:
        return []

    monkeypatch.setattr(search_index, "streams_to_index", nothing)


async def segments(database: Database, stream_id: str) -> list[tuple[int, int]]:
    """Return the number of each segment of a stream, and how many messages it has."""
    async with database.cursor() as cur:
        await cur.execute(
            """
            SELECT segment, count(*) FROM search_documents WHERE stream_id = %(id)s
          GROUP BY segment ORDER BY segment
            """,
            {"id": int(stream_id)},
        )
        return [(row[0], row[1]) for row in await cur.fetchall()]


async def marks(database: Database, channel_id: str) -> list[str]:
    async with database.cursor() as cur:
        await cur.execute(
            "SELECT message_id FROM search_unindexed WHERE channel_id = %(id)s ORDER BY 1",
            {"id": int(channel_id)},
        )
        return [str(row[0]) for row in await cur.fetchall()]


async def test_segment_size_counts_normalized_text(
    world: World, database: Database, only_here: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """U+FDFA becomes 18 letters: a segment of 2 MB as sent had 12 million keys."""
    guild = await world.guild(owner="alice")
    flood = "\ufdfa" * 1000
    await say(guild.owner.rest, guild.general, *[flood] * 6, "plum")
    monkeypatch.setattr(search_index, "_SEGMENT_BYTES", 70_000)  # of 33 kB each
    stream = StreamId(int(guild.id))
    await alone(database, lambda cur: search_index.extend(cur, stream))
    assert await segments(database, guild.id) == [
        (0, 2),
        (1, 2),
    ]  # too few messages are left for a segment
    assert await texts(guild.owner.rest, guild, content="\ufdfa") == [flood] * 6
    assert await texts(guild.owner.rest, guild, content="plum") == ["plum"]


async def works_off(database: Database, monkeypatch: pytest.MonkeyPatch, *streams: str) -> None:
    """Let the indexer index these streams, without pauses."""

    async def due(*_: object, **__: object) -> list[StreamId]:
        return [StreamId(int(each)) for each in streams]

    with monkeypatch.context() as patched:
        patched.setattr(search_index, "streams_to_index", due)
        patched.setattr(search_indexer, "_IDLE_FACTOR", 0.0)
        await catch_up(database)


async def test_failing_segment_is_halved_then_marked(
    world: World, database: Database, only_here: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    guild = await world.guild(owner="alice")
    sent = await say(guild.owner.rest, guild.general, *(f"plum {n}" for n in range(8)), "poison")
    sent += await say(guild.owner.rest, guild.general, *(f"plum {n}" for n in range(9, 16)))
    poison = int(sent[8])
    monkeypatch.setattr(search_index, "SEGMENT_MESSAGES", 8)
    real, tried = search_index.add_postings, []

    async def fails(cur: Cursor, parameters: Any) -> None:
        tried.append(parameters["size"])
        if parameters["first_id"] <= poison <= parameters["last_id"]:
            raise ServiceUnavailable
        await real(cur, parameters)

    monkeypatch.setattr(search_index, "add_postings", fails)
    await works_off(database, monkeypatch, guild.id)
    assert tried == [8, 8, 4, 2, 1, 1, 2, 4]
    assert await segments(database, guild.id) == [(0, 8), (1, 1), (2, 1), (3, 2), (4, 4)]
    assert await marks(database, guild.general.id) == [sent[8]]
    for order in ("asc", "desc"):
        shown = await texts(guild.owner.rest, guild, content="poison", sort_order=order)
        assert shown == ["poison"]
        found = await search(guild.owner.rest, guild, content="plum", sort_order=order)
        assert found["total_results"] == 15
    assert await texts(guild.owner.rest, guild, content="plum poison") == []
    await guild.owner.rest.delete(f"/channels/{guild.general.id}/messages/{poison}")
    assert await texts(guild.owner.rest, guild, content="poison") == []
    await alone(database, search_upkeep.delete_orphaned_marks)
    assert await marks(database, guild.general.id) == []


async def test_failing_edits_are_halved_then_marked(
    world: World, database: Database, only_here: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    guild = await world.guild(owner="alice")
    sent = await say(guild.owner.rest, guild.general, *(f"plum {n}" for n in range(8)))
    stream = StreamId(int(guild.id))
    await alone(database, lambda cur: search_index.extend(cur, stream, size=8))
    path = f"/channels/{guild.general.id}/messages"
    real = search_upkeep.add_edited_postings

    async def fails(cur: Cursor, parameters: Any) -> None:
        if int(sent[3]) in parameters["message_ids"]:
            raise ServiceUnavailable
        await real(cur, parameters)

    monkeypatch.setattr(search_upkeep, "add_edited_postings", fails)
    for number, message in enumerate(sent):
        await guild.owner.rest.patch(f"{path}/{message}", {"content": f"pear {number}"})
    await works_off(database, monkeypatch)
    async with database.cursor() as cur:
        await cur.execute(
            "SELECT FROM search_edits WHERE channel_id = %(id)s", {"id": int(guild.general.id)}
        )
        assert await cur.fetchone() is None
    assert await marks(database, guild.general.id) == [sent[3]]
    assert sorted(await texts(guild.owner.rest, guild, content="pear")) == [
        f"pear {number}" for number in range(8)
    ]


async def test_indexing_a_large_guild_does_not_delay_others(
    world: World, database: Database, only_here: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    guilds = [await world.guild(owner=name) for name in ("alice", "bob", "carol")]
    monkeypatch.setattr(search_index, "SEGMENT_MESSAGES", 2)
    for guild, count in zip(guilds, (6, 2, 4), strict=True):
        await say(guild.owner.rest, guild.general, *(f"plum {number}" for number in range(count)))
    real, order = search_index.add_postings, []

    async def note(cur: Cursor, parameters: Any) -> None:
        order.append(str(parameters["stream_id"]))
        await real(cur, parameters)

    monkeypatch.setattr(search_index, "add_postings", note)
    await works_off(database, monkeypatch, *(guild.id for guild in guilds))
    first, second, third = (guild.id for guild in guilds)
    assert order == [first, second, third, first, third, first]


async def test_index_of_a_deleted_guild_is_deleted_in_batches(
    world: World, database: Database, only_here: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    guild, kept = await world.guild(owner="alice"), await world.guild(owner="bob")
    for each in (guild, kept):
        await say(each.owner.rest, each.general, "a plum tree", "two plum trees")
        await alone(
            database, partial(search_index.extend, stream_id=StreamId(int(each.id)), size=2)
        )
    monkeypatch.setattr(search_upkeep, "_MAX_POSTINGS", 5)

    async def counts(stream_id: str) -> list[int]:
        found = []
        async with database.cursor() as cur:
            for table in ("search_segments", "search_documents", "search_postings"):
                await cur.execute(
                    f"SELECT count(*) FROM {table} WHERE stream_id = %(id)s",
                    {"id": int(stream_id)},
                )
                [(count,)] = await cur.fetchall()
                found.append(count)
        return found

    before = await counts(kept.id)
    await guild.owner.rest.delete(f"/guilds/{guild.id}")
    await alone(database, search_upkeep.delete_orphans)
    assert await counts(guild.id) == [0, 0, 0]
    assert await counts(kept.id) == before


async def test_indexer_pauses_after_each_stream_with_nothing_to_index(
    world: World, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks at each stream once an hour: without pauses, it took a whole core for seconds."""
    guild = await world.guild(owner="alice")

    async def due(*_: object, **__: object) -> list[StreamId]:
        return [StreamId(int(guild.id))] * 3

    async def look(*_: object, **__: object) -> bool:
        await asyncio.sleep(0.01)
        return False

    async def is_alone(_: Cursor) -> bool:
        return True

    monkeypatch.setattr(search_index, "streams_to_index", due)
    monkeypatch.setattr(search_index, "extend", look)
    monkeypatch.setattr(search_index, "try_lock", is_alone)
    began = asyncio.get_running_loop().time()
    await search_indexer.catch_up(database)
    assert asyncio.get_running_loop().time() - began >= 3 * (0.01 + 0.04) - 0.01

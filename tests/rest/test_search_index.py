"""The search index: edited and new messages are found at once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chatd.core.ids import StreamId
from chatd.db.pool import Database
from chatd.queries import search_index, search_upkeep
from chatd.services.maintenance import search_indexer
from tests.rest.searching import Index, alone, say, search, texts
from tests.world import World, like


async def test_edits_and_deletions_are_searchable_at_once(
    world: World, index: Index, database: Database
) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    alice, bob = guild.owner.rest, await world.person("bob")
    path = f"/channels/{guild.general.id}/messages"
    old, gone, *_ = await say(alice, guild.general, "cherry one", "cherry two", "x", "y")
    await index(guild.id)
    await alice.patch(f"{path}/{old}", {"content": f"grape <@{bob.id}>"})
    await alice.delete(f"{path}/{gone}")

    async def right() -> None:
        assert await texts(alice, guild, content="cherry") == []
        for query in ({"content": "grape"}, {"content": "gr"}, {"mentions": bob.id}):
            for order in ("asc", "desc"):
                shown = await texts(alice, guild, sort_order=order, **query)
                assert shown == [f"grape <@{bob.id}>"]
        assert len(await texts(alice, guild)) == 3

    await right()
    await alone(database, lambda cur: search_upkeep.apply_edits(cur, limit=2))
    await right()
    [again] = await say(alice, guild.general, "cherry three")
    assert await texts(alice, guild, content="cherry") == ["cherry three"]
    await alice.post(f"{path}/bulk-delete", {"messages": [again, old]})
    assert await texts(alice, guild, content="cherry") == []
    assert await texts(alice, guild, content="grape") == []


async def test_long_message_is_found_by_every_part(world: World, index: Index) -> None:
    guild = await world.guild(owner="alice")
    text = "".join(chr(0x4E00 + number) for number in range(2000))
    await say(guild.owner.rest, guild.general, text, "x", "y")
    await index(guild.id)
    for start in (0, 1, 61, 62, 63, 64, 65, 127, 128, 1000, 1997, 1998, 1999):
        for length in (1, 2, 3, 4, 70, 800):
            part = text[start : start + length]
            assert await texts(guild.owner.rest, guild, content=part) == [text]


async def test_acknowledged_messages_are_found_while_the_indexer_runs(
    world: World, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatd.services.messages.search._SCAN_SIZE", 2)
    guild = await world.guild(owner="alice")
    alice, channel = guild.owner.rest, guild.general
    stream = StreamId(int(guild.id))
    path = f"/channels/{channel.id}/messages"
    writing = True

    async def index() -> None:
        while writing:
            await alone(database, lambda cur: search_index.extend(cur, stream, size=2))
            await alone(database, lambda cur: search_upkeep.apply_edits(cur, limit=3))

    async def write(name: str) -> None:
        for number in range(20):
            [sent] = await say(alice, channel, f"{name} {number}")
            assert await texts(alice, guild, content=f"{name} {number}", max_id=int(sent) + 1) == [
                f"{name} {number}"
            ]
            await alice.patch(f"{path}/{sent}", {"content": f"{name} changed {number}!"})
            assert await texts(alice, guild, content=f'"{name} changed {number}!"') == [
                f"{name} changed {number}!"
            ]
            assert len(await texts(alice, guild, content=name)) == number + 1

    indexing = asyncio.create_task(index())
    await asyncio.gather(*(write(name) for name in ("kiwi", "mango", "papaya")))
    writing = False
    await indexing
    found = await search(alice, guild, content="changed")
    assert found["total_results"] == 60
    async with database.cursor() as cur:
        await cur.execute(
            "SELECT segments FROM search_streams WHERE stream_id = %(id)s", {"id": stream}
        )
        assert await cur.fetchone() == (30,)


async def caught_up(database: Database, condition: str, **parameters: object) -> None:
    """Let the indexer run until a condition holds; the server's own may run too."""
    async with asyncio.timeout(60):
        while True:
            await search_indexer.catch_up(database)
            async with database.cursor() as cur:
                await cur.execute(f"SELECT ({condition})", parameters)
                if await cur.fetchone() == (True,):
                    return


async def test_search_of_a_large_guild(
    world: World, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_indexer, "_IDLE_FACTOR", 0.0)
    guild = await world.guild(owner="alice")
    alice = guild.owner.rest
    [first] = await say(alice, guild.general, "the first")
    count, gap = search_index.SEGMENT_MESSAGES * 4, 1 << 16
    async with database.cursor() as cur:
        await cur.execute(
            """
            WITH written AS (
                INSERT INTO messages (channel_id, id, author_id, content)
                SELECT %(channel)s, %(first)s + number::bigint * %(gap)s, %(author)s,
                       'lime ' || number
                  FROM generate_series(1, %(count)s) AS number
            )
            UPDATE streams SET seq = seq + %(count)s, last_message_id = %(last)s
             WHERE id = %(guild)s
            """,
            {
                "channel": int(guild.general.id),
                "first": int(first),
                "author": int(guild.owner.id),
                "count": count,
                "gap": gap,
                "last": int(first) + count * gap,
                "guild": int(guild.id),
            },
        )

    async def right() -> None:
        for order in ("desc", "asc"):
            found = await search(alice, guild, content="lime", sort_order=order, offset=9975)
            assert found["total_results"] == 10_000
            shown = [message["content"] for [message] in found["messages"]]
            expected = range(count - 9975, count - 10_000, -1)
            if order == "asc":
                expected = range(9976, 10_001)
            assert shown == [f"lime {number}" for number in expected]
        assert await texts(alice, guild, content='"lime 77"', max_id=int(first) + 100 * gap) == [
            "lime 77"
        ]
        assert await texts(alice, guild, content="first") == ["the first"]

    await right()  # while most of it is not indexed
    await caught_up(
        database,
        "SELECT count(*) = 4 FROM search_segments WHERE stream_id = %(id)s",
        id=int(guild.id),
    )
    await right()
    monkeypatch.setattr("chatd.services.messages.search._TIMEOUT_S", -1.0)
    found = await search(alice, guild, content="first")
    assert found == like(total_results=0, doing_deep_historical_index=True)

    await alice.delete(f"/guilds/{guild.id}")
    await caught_up(
        database,
        """
        SELECT NOT EXISTS (SELECT FROM search_segments WHERE stream_id = %(id)s)
           AND NOT EXISTS (SELECT FROM search_documents WHERE stream_id = %(id)s)
           AND NOT EXISTS (SELECT FROM search_postings WHERE stream_id = %(id)s)
        """,
        id=int(guild.id),
    )


async def test_concurrent_searches(world: World) -> None:
    guild = await world.guild(owner="alice")
    await say(guild.owner.rest, guild.general, "lychee")
    found = await asyncio.gather(
        *(texts(guild.owner.rest, guild, content="lychee") for _ in range(40))
    )
    assert found == [["lychee"]] * 40


async def test_search_pages(world: World, index: Index) -> None:
    guild = await world.guild(owner="alice")
    alice, side = guild.owner.rest, await guild.channel("side")
    sent = []
    for number in range(14):
        sent += await say(alice, (guild.general, side)[number % 2], f"date {number}")
    await index(guild.id)

    async def page(offset: int, **query: Any) -> tuple[list[str], int]:
        found = await search(alice, guild, content="date", limit=5, offset=offset, **query)
        return [message["id"] for [message] in found["messages"]], found["total_results"]

    newest = sent[::-1]
    assert [await page(offset) for offset in (0, 5, 10, 14, 9975)] == [
        (newest[:5], 14),
        (newest[5:10], 14),
        (newest[10:], 14),
        ([], 14),
        ([], 14),
    ]
    assert await page(5, sort_order="asc") == (sent[5:10], 14)
    # With an upper bound, new messages do not move the pages; deletions move later hits up.
    bound = {"max_id": str(int(sent[-1]) + 1)}
    sent += await say(alice, side, "date 14")
    assert await page(5, **bound) == (newest[5:10], 14)
    assert await page(0) == ([sent[-1], *newest[:4]], 15)
    await alice.delete(f"/channels/{guild.general.id}/messages/{sent[12]}")
    del newest[1]
    assert await page(5, **bound) == (newest[5:10], 13)

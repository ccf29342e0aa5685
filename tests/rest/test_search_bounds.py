"""Limits of message search: time, connections, and delays for other accounts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from chatd.context.search_slots import SearchSlots
from chatd.core.ids import StreamId
from chatd.db.cursor import Cursor
from chatd.db.pool import Database
from chatd.queries import search as queries
from chatd.queries import search_index
from chatd.queries.search import Hit, SearchQuery
from chatd.services.messages import search as service
from chatd.web.keys import DEPENDENCIES
from tests.conftest import Server
from tests.rest.searching import alone, say, search, texts
from tests.world import TIMEOUT_S, World, like

SLOW_S = 60  # far longer than any statement may take


async def test_search_that_times_out_returns_earlier_hits(
    world: World, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    guild = await world.guild(owner="alice")
    await say(guild.owner.rest, guild.general, "plum 1", "plum 2")
    stream = StreamId(int(guild.id))
    await alone(database, lambda cur: search_index.extend(cur, stream, size=2))
    await say(guild.owner.rest, guild.general, "plum 3")

    async def slow(cur: Cursor, *_: object, **__: object) -> list[Hit]:
        await cur.execute("SELECT pg_sleep(%(s)s)", {"s": SLOW_S})
        return []

    monkeypatch.setattr(service, "_TIMEOUT_S", 1.0)
    monkeypatch.setattr(queries, "between", slow)
    found = await search(guild.owner.rest, guild, content="plum", sort_order="asc")
    assert found == like(total_results=2, doing_deep_historical_index=True)
    assert [each["content"] for [each] in found["messages"]] == ["plum 1", "plum 2"]
    found = await search(guild.owner.rest, guild, content="plum")
    assert found == like(total_results=0, doing_deep_historical_index=True, messages=[])
    for name, query in (("edited", {}), ("pinned", {"pinned": "true"})):
        with monkeypatch.context() as patched:
            patched.setattr(queries, name, slow)
            found = await search(guild.owner.rest, guild, content="plum", **query)
        assert found == like(total_results=0, doing_deep_historical_index=True), name
    monkeypatch.undo()
    assert await texts(guild.owner.rest, guild, content="plum") == ["plum 3", "plum 2", "plum 1"]


@pytest.mark.parametrize(("order", "wanted"), [("desc", [6, 5, 4]), ("asc", [0, 1, 2])])
async def test_ranges_scanned_before_the_timeout_are_returned(
    world: World, monkeypatch: pytest.MonkeyPatch, order: str, wanted: list[int]
) -> None:
    guild = await world.guild(owner="alice")
    side, alice = await guild.channel("side"), guild.owner.rest
    for number in range(7):
        await say(alice, (guild.general, side)[number % 2], f"plum {number}")
    monkeypatch.setattr(service, "_FIRST_SCANS", (1, 2))
    shown = [f"plum {number}" for number in range(7)]
    assert await texts(alice, guild, sort_order=order) == (shown if order == "asc" else shown[::-1])
    bounds: list[tuple[int, int]] = []
    real = queries.between

    async def slow(cur: Cursor, ask: SearchQuery, low: int, high: int, *, limit: int) -> list[Hit]:
        bounds.append((low, high))
        if len(bounds) > 2:
            await cur.execute("SELECT pg_sleep(%(s)s)", {"s": SLOW_S})
        return await real(cur, ask, low, high, limit=limit)

    monkeypatch.setattr(service, "_TIMEOUT_S", 2.0)
    monkeypatch.setattr(queries, "between", slow)
    found = await search(alice, guild, content="plum", sort_order=order)
    assert found == like(total_results=3, doing_deep_historical_index=True)
    assert [each["content"] for [each] in found["messages"]] == [f"plum {n}" for n in wanted]
    assert all(low < high for low, high in bounds)


@asynccontextmanager
async def held(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[dict[str, Any]]:
    """Let searches wait in their transactions until the context ends, or `go` is set."""
    seen: dict[str, Any] = {"running": 0, "most": 0, "go": asyncio.Event()}
    real = queries.between

    async def wait(cur: Cursor, *args: Any, **options: Any) -> list[Hit]:
        seen["running"] += 1
        seen["most"] = max(seen["most"], seen["running"])
        try:
            await seen["go"].wait()
            return await real(cur, *args, **options)
        finally:
            seen["running"] -= 1

    with monkeypatch.context() as patched:
        patched.setattr(queries, "between", wait)
        yield seen
        seen["go"].set()


async def until_one_runs(seen: dict[str, Any]) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        while not seen["running"]:
            await asyncio.sleep(0.01)


async def test_account_runs_one_search_at_a_time(
    world: World, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    alice, bob = guild.owner.rest, (await world.person("bob")).rest
    await say(alice, guild.general, "plum")
    database = server.runner.app[DEPENDENCIES].database
    async with held(monkeypatch) as seen:
        mine = [asyncio.create_task(texts(alice, guild, content="plum")) for _ in range(8)]
        await until_one_runs(seen)
        theirs = asyncio.create_task(texts(bob, guild, content="plum"))
        async with asyncio.timeout(TIMEOUT_S):
            while seen["running"] < 2:  # bob does not wait for seven searches of alice
                await asyncio.sleep(0.01)
        assert database.in_use <= 3  # one more for a background task
        for number in range(20):
            await bob.post(f"/channels/{guild.general.id}/messages", {"content": str(number)})
            await alice.get(f"/guilds/{guild.id}/channels")
        seen["go"].set()
        assert [*await asyncio.gather(*mine), await theirs] == [["plum"]] * 9
        assert seen["most"] == 2


async def test_search_without_a_slot_is_rejected_after_the_timeout(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    alice, bob, carol = [(await world.person(name)).rest for name in ("alice", "bob", "carol")]
    await say(alice, guild.general, "plum")
    path = f"/guilds/{guild.id}/messages/search?content=plum"
    async with held(monkeypatch) as seen:
        running = [asyncio.create_task(rest.call("GET", path)) for rest in (alice, bob)]
        async with asyncio.timeout(TIMEOUT_S):
            while seen["running"] < 2:
                await asyncio.sleep(0.01)
        monkeypatch.setattr(service, "_SLOT_TIMEOUT_S", 0.05)
        refused = await alice.call("GET", path)
        assert refused.status == 429
        assert refused.json == like(retry_after=1.0, message="Another search of yours is running.")
        assert refused.headers["Retry-After"] == "1"
        assert refused.headers["Via"] == "1.1 chatd"
        assert (await carol.call("GET", path)).status == 503  # no slot is free
        seen["go"].set()
        assert [(await each).status for each in running] == [200, 200]
    assert (await carol.call("GET", path)).status == 200


def test_search_slots_leave_connections_for_other_requests() -> None:
    for size in (1, 2, 4, 8, 100):
        assert 1 <= SearchSlots(size).max_running <= max(1, size // 2)


async def test_search_timeout_shrinks_with_waiting_accounts(
    world: World, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    guild = await world.guild(owner="alice")
    await say(guild.owner.rest, guild.general, "plum")
    lefts: list[float] = []
    real = queries.begin_step

    async def note(cur: Cursor, *, within_s: float) -> None:
        lefts.append(within_s)
        await real(cur, within_s=within_s)

    monkeypatch.setattr(queries, "begin_step", note)
    searches = server.runner.app[DEPENDENCIES].searches
    for waiting, most in ((0, 3.0), (1, 1.5), (100, 0.5)):
        monkeypatch.setattr(searches, "waiting", waiting)
        lefts.clear()
        await texts(guild.owner.rest, guild, content="plum")
        assert lefts
        assert all(most - 0.5 < each <= most for each in lefts[:1])
    searches.waiting = 0


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ("a " * 500, ["a"]),
        ('a A ａ "a" "  a "', ["a"]),
        ("b a b a", ["b", "a"]),
    ],
)
async def test_repeated_terms_are_compared_once(
    world: World, monkeypatch: pytest.MonkeyPatch, content: str, wanted: list[str]
) -> None:
    guild = await world.guild(owner="alice")
    await say(guild.owner.rest, guild.general, "a b")
    asked: list[Sequence[str]] = []
    real = queries.between

    async def note(cur: Cursor, ask: SearchQuery, *args: Any, **options: Any) -> list[Hit]:
        asked.append(ask.filter.terms)
        return await real(cur, ask, *args, **options)

    monkeypatch.setattr(queries, "between", note)
    for sort_by in ("timestamp", "relevance"):
        assert await texts(guild.owner.rest, guild, content=content, sort_by=sort_by) == ["a b"]
    assert asked == [wanted] * 2


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (" ".join(f"w{number}" for number in range(32)), 200),
        (" ".join(f"w{number}" for number in range(33)), 400),
        ("\ufdfa" * 200, 200),
        ("\ufdfa" * 500, 400),
    ],
    ids=["32 words", "33 words", "3600 letters", "9000 letters"],
)
async def test_search_terms_are_limited(world: World, content: str, status: int) -> None:
    guild = await world.guild(owner="alice")
    for place in (f"/guilds/{guild.id}", f"/channels/{guild.general.id}"):
        answer = await guild.owner.rest.call(
            "GET", f"{place}/messages/search", params={"content": content}
        )
        assert answer.status == status
        if status == 400:
            assert answer.json["errors"].keys() == {"content"}

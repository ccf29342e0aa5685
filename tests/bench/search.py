"""Searching a guild with a long history, and the cost of indexing a message."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from urllib.parse import quote

from chatd.core.ids import StreamId
from chatd.core.search import GRAM
from chatd.db.pool import Database
from chatd.queries import search_index
from tests.bench import measuring, report
from tests.bench.adapters import Chatd
from tests.bench.http import Connection
from tests.bench.measuring import Lap, Subject
from tests.bench.report import Row
from tests.bench.sentences import Sentences

_POLL_S = 0.2


async def rows(subject: Subject, *, messages: int, rounds: int, seconds: float) -> list[Row]:
    """Return a row for the index, and one for each kind of search."""
    adapter, stage = subject.adapter, subject.stage
    speech = Sentences()
    scene = await adapter.talk(stage, subject.port, speech, messages)
    made = []
    if isinstance(adapter, Chatd):
        made.append(await _index(subject, adapter, int(scene.guild), messages))
    for title, query in _queries(speech, scene.author).items():
        path = f"/guilds/{scene.guild}/messages/search?{query}"
        raw = adapter.call("GET", path, scene.reader_token)
        found = await _total(subject.port, raw)
        figures = await measuring.take_turns(
            {"own": partial(_on_server, subject, raw, seconds=seconds)}, rounds=rounds
        )
        row = report.row(adapter.name, f"search of {messages:,}: {title}", figures["own"])
        row.notes.append(found)
        made.append(row)
    return made


def _queries(speech: Sentences, author: str) -> dict[str, str]:
    words, signs = speech.words, speech.signs
    common, rare = words[len(words) // 400], words[len(words) // 4]
    long = next(word for word in words[100:] if len(word) > 2 * GRAM)
    contents = {
        "the commonest word": words[0],
        "a common word": common,
        "a rare word": rare,
        "a part of a word": long[1:-1],
        "a letter": words[0][0],
        "two common words": f"{words[0]} {words[1]}",
        "a phrase of common words": f'"{words[0]} {words[1]} {words[0]}"',
        "a common and a rare word": f"{words[0]} {rare}",
        "a common sign": signs[0],
        "a rare sign": signs[-1],
        "two common signs": signs[0] + signs[1],
        "three signs": signs[20] + signs[30] + signs[40],
        "no word, of common parts": _absent(speech),
    }
    queries = {title: f"content={quote(content)}" for title, content in contents.items()}
    commonest = f"content={words[0]}"
    return {
        **queries,
        "the commonest word, last page": f"{commonest}&offset=9975",
        "the commonest word, oldest first": f"{commonest}&sort_order=asc",
        "the commonest word, by relevance": f"{commonest}&sort_by=relevance",
        "the commonest word, of one author": f"{commonest}&author_id={author}",
        "a rare word, of one author": f"content={rare}&author_id={author}",
        "all of one author": f"author_id={author}",
        "links, none of which exist": "has=link",
    }


def _absent(speech: Sentences) -> str:
    """Return a text that no message contains, although many contain each part of it."""
    every = " ".join(speech.words)
    syllables = [word for word in speech.words[:60] if len(word) == 2]
    made = (
        a + b + c + d for a in syllables for b in syllables for c in syllables for d in syllables
    )
    return next(word for word in made if word not in every)


async def _index(subject: Subject, adapter: Chatd, guild: int, messages: int) -> Row:
    """Index all messages, concurrently with the server's own indexer."""
    stage = subject.stage
    logging.getLogger("chatd.db.pool").setLevel(logging.ERROR)  # a segment is a slow statement
    database = Database(adapter.database_url(stage), size=1)
    await database.open()
    try:
        before = await _bytes(database)
        counted = Lap(
            units=messages // search_index.SEGMENT_MESSAGES * search_index.SEGMENT_MESSAGES
        )
        async with measuring.lap(stage, subject.pids, private=True) as lap:
            while await _segments(database, guild) < messages // search_index.SEGMENT_MESSAGES:
                transaction = await database.begin()  # without the pauses of the server's indexer
                alone = await search_index.try_lock(transaction.cur)
                if alone:
                    await search_index.extend(transaction.cur, StreamId(guild))
                await transaction.commit()
                if not alone:
                    await asyncio.sleep(_POLL_S)
        counted.seconds, counted.cpu_s = lap.seconds, lap.cpu_s
        made = report.row(adapter.name, f"indexing {messages:,}", measuring.Figures([counted]))
        units = max(1, counted.units)
        made.bytes_each = (await _bytes(database) - before) / units
        return made
    finally:
        await database.close()


async def _segments(database: Database, guild: int) -> int:
    async with database.cursor() as cur:
        await cur.execute(
            "SELECT count(*) FROM search_segments WHERE stream_id = %(guild)s", {"guild": guild}
        )
        row = await cur.fetchone()
    return int(row[0]) if row else 0


async def _bytes(database: Database) -> int:
    async with database.cursor() as cur:
        await cur.execute(
            "SELECT pg_total_relation_size('search_postings')"
            " + pg_total_relation_size('search_documents')"
        )
        row = await cur.fetchone()
    return int(row[0]) if row else 0


async def _on_server(subject: Subject, raw: bytes, *, seconds: float) -> Lap:
    async with subject.lap() as counted:
        await measuring.keep_asking(counted, subject.port, [raw], at_once=1, seconds=seconds)
    return counted


async def _total(port: int, raw: bytes) -> str:
    async with await Connection.to(port) as connection:
        found = (await connection.well(raw)).json
    cut = ", cut" if found["doing_deep_historical_index"] else ""
    return f"{found['total_results']:,} found{cut}"

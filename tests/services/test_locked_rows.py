"""A locked row fails or delays only its own request or item, and not the others of its batch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg2
import pytest

from chatd.core.ids import ChannelId, MessageId, StreamId, UserId
from chatd.core.rate_limit_errors import TooManyConcurrentRequests
from chatd.db.pool import Database
from chatd.queries import read_states, search_index
from chatd.queries.read_states import Move
from chatd.services.guilds import temporary_members
from chatd.services.maintenance import janitor
from chatd.services.messages import batch_writer, read_state_writer
from chatd.services.messages.read_state_writer import ReadStateWriter
from chatd.web.keys import DEPENDENCIES
from tests.conftest import ServeMore, Server
from tests.helpers.locks import held_user
from tests.rest.searching import catch_up
from tests.world import Answer, Guild, Person, World, world_on

NAMES = ("bob", "carol", "dave", "erin", "frank")
SHORT_LOCK_TIMEOUT = "-c%20lock_timeout%3D300"  # in ms


@pytest.fixture
def large_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a batch wait for all requests of a test."""
    monkeypatch.setattr(read_state_writer, "_INTERVAL_S", 0.3)
    monkeypatch.setattr(batch_writer, "_LINGER_S", 0.3)
    monkeypatch.setattr(batch_writer, "_IDLE_TICKS", 1_000_000)
    always = property(lambda _: True, lambda *_: None)
    monkeypatch.setattr(batch_writer.MessageBatchWriter, "_under_load", always, raising=False)


@dataclass
class Stage:
    """A server whose statements wait 0.3 s for a lock, a guild, and its members."""

    server: Server
    world: World
    guild: Guild
    people: list[Person]

    @contextmanager
    def locked(self, sql: str, **parameters: object) -> Iterator[None]:
        """Hold the locks of a statement within the block."""
        connection = psycopg2.connect(self.server.config.database_url)
        try:
            with connection.cursor() as cur:
                cur.execute(sql, parameters)
            yield
        finally:
            connection.close()


@pytest.fixture
async def stage(server: Server, serve_more: ServeMore) -> AsyncIterator[Stage]:
    url = server.config.database_url
    url += ("&" if "?" in url else "?") + "options=" + SHORT_LOCK_TIMEOUT
    async with (
        serve_more(worker_id=7, database_url=url) as impatient,
        world_on(impatient.url, impatient.gateway_url) as world,
    ):
        guild = await world.guild(owner="alice", members=NAMES)
        yield Stage(impatient, world, guild, await world.people(*NAMES))


async def sent_in(guild: Guild) -> str:
    path = f"/channels/{guild.general.id}/messages"
    return str((await guild.owner.rest.post(path, {"content": "x"}))["id"])


async def acknowledge(person: Person, guild: Guild, message: str) -> Answer:
    path = f"/channels/{guild.general.id}/messages/{message}/ack"
    return await person.rest.call("POST", path)


async def read_up_to(person: Person, guild: Guild) -> str:
    states = await person.rest.get("/users/@me/read-states")
    return str(next(each for each in states if each["id"] == guild.general.id)["last_message_id"])


async def test_acknowledgement_of_a_locked_user_delays_no_other(
    world: World, server: Server, large_batches: None
) -> None:
    """The first read state of a channel refers to the row of its user."""
    guild = await world.guild(owner="alice", members=NAMES)
    locked, *others = await world.people(*NAMES)
    message = await sent_in(guild)
    await acknowledge(guild.owner, guild, message)  # the next batch starts later
    with held_user(server, locked.id) as held:
        waiting = asyncio.create_task(acknowledge(locked, guild, message))
        answers = await asyncio.gather(*(acknowledge(each, guild, message) for each in others))
        assert {answer.status for answer in answers} == {200}
        await held.waited_for_by(1)
        assert not waiting.done()
        held.release()
        assert (await waiting).status == 200
    for person in (locked, *others):
        assert await read_up_to(person, guild) == message


async def test_locked_read_state_fails_no_other(stage: Stage, large_batches: None) -> None:
    guild, (locked, *others) = stage.guild, stage.people
    first, second = [await sent_in(guild) for _ in range(2)]
    for person in stage.people:
        await acknowledge(person, guild, first)
    row = "SELECT FROM read_states WHERE user_id = %(user)s FOR UPDATE"
    with stage.locked(row, user=int(locked.id)):
        answers = await asyncio.gather(*(acknowledge(each, guild, second) for each in stage.people))
    assert [answer.status for answer in answers] == [503, *[200] * len(others)]
    for person in others:
        assert await read_up_to(person, guild) == second


async def test_locked_file_of_a_message_fails_no_other(stage: Stage, large_batches: None) -> None:
    guild, (locked, *others) = stage.guild, stage.people
    path = f"/channels/{guild.general.id}"
    wanted = {"files": [{"id": "1", "filename": "a.txt", "file_size": 1}]}
    [reserved] = (await locked.rest.post(f"{path}/attachments", wanted))["attachments"]
    upload_path = reserved["upload_url"].removeprefix(stage.server.config.public_url)
    assert (await stage.world.anonymous.call("PUT", upload_path, data=b"a")).status == 200
    file = {"id": "0", "filename": "a.txt", "uploaded_filename": reserved["upload_filename"]}

    def send(person: Person, **body: Any) -> Awaitable[Answer]:
        return person.rest.call("POST", f"{path}/messages", {"content": person.id, **body})

    with stage.locked("LOCK TABLE attachments IN SHARE ROW EXCLUSIVE MODE"):
        answers = await asyncio.gather(
            send(locked, attachments=[file]), *(send(each) for each in others)
        )
    assert [answer.status for answer in answers] == [503, *[200] * len(others)]
    stored = [each["content"] for each in await locked.rest.get(f"{path}/messages")]
    assert sorted(stored) == sorted(each.id for each in others)


async def test_locked_guild_keeps_no_other_temporary_membership(stage: Stage) -> None:
    world, [bob, carol, *_] = stage.world, stage.people
    guilds = [await world.guild(owner="alice") for _ in range(2)]
    for guild, person in zip(guilds, (bob, carol), strict=True):
        await person.rest.post(f"/invites/{await guild.invite(temporary=True)}")
    maintenance = temporary_members.TemporaryMembers(
        stage.server.runner.app[DEPENDENCIES], lambda _: False, interval_s=0.01, grace_s=0.05
    )
    await asyncio.sleep(0.1)  # the grace period of both
    lock = "SELECT FROM streams WHERE id = %(guild)s FOR UPDATE"
    with stage.locked(lock, guild=int(guilds[0].id)):
        await maintenance._end_expired()
    left = [await members(guild) for guild in guilds]
    assert [len(each) for each in left] == [2, 1]
    await maintenance._end_expired()
    assert len(await members(guilds[0])) == 1


async def members(guild: Guild) -> list[Any]:
    return list(await guild.owner.rest.get(f"/guilds/{guild.id}/members?limit=100"))


async def test_locked_rows_of_one_kind_stop_no_other_cleaning(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    cleaned: list[str] = []

    def recording(expired: Callable[..., Awaitable[int]]) -> Callable[..., Awaitable[int]]:
        async def run(*arguments: Any, **options: Any) -> int:
            count = await expired(*arguments, **options)
            cleaned.append(expired.__name__)
            return count

        return run

    kinds = [each.__name__ for each in janitor.EXPIRED]
    monkeypatch.setattr(janitor, "EXPIRED", [recording(each) for each in janitor.EXPIRED])
    dependencies = stage.server.runner.app[DEPENDENCIES]
    with stage.locked("LOCK TABLE invites IN SHARE ROW EXCLUSIVE MODE"):
        await janitor.clean_up(dependencies.database, dependencies.storage)
    assert cleaned == kinds[1:]


async def test_locked_stream_stops_no_other_indexing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = stage.server.runner.app[DEPENDENCIES].database
    guilds = [stage.guild, await stage.world.guild(owner="alice")]
    for guild in guilds:
        await sent_in(guild)
    ids = [StreamId(int(guild.id)) for guild in guilds]

    async def waiting(*_: object, **__: object) -> list[StreamId]:
        return ids

    monkeypatch.setattr(search_index, "streams_to_index", waiting)
    monkeypatch.setattr(search_index, "SEGMENT_MESSAGES", 1)
    first = "INSERT INTO search_streams (stream_id) VALUES (%(id)s)"
    with stage.locked(first, id=ids[0]):
        await catch_up(database)
    assert await indexed(database, ids) == {ids[1]}
    await catch_up(database)
    assert await indexed(database, ids) == {*ids}


async def indexed(database: Database, ids: list[StreamId]) -> set[StreamId]:
    async with database.cursor() as cur:
        await cur.execute(
            "SELECT stream_id FROM search_segments WHERE stream_id = ANY(%(ids)s)", {"ids": ids}
        )
        return {row[0] for row in await cur.fetchall()}


async def test_read_states_of_one_user_do_not_fill_the_queue(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One user sends more than the queue takes; all others are served, in turns with it."""
    statements: list[list[int]] = []
    go = asyncio.Event()

    async def move_many(_: object, moves: list[Move]) -> list[read_states.MoveResult]:
        statements.append([each.user_id for each in moves])
        await go.wait()
        return [read_states.MoveResult(each.user_id, True, False, None) for each in moves]

    monkeypatch.setattr(read_states, "move_many", move_many)
    monkeypatch.setattr(read_state_writer, "_INTERVAL_S", 0.0)
    dependencies = server.runner.app[DEPENDENCIES]
    writer = ReadStateWriter(dependencies.database, dependencies.bus)

    async def move(user: int, message: int) -> bool:
        try:
            await writer.move(Move(UserId(user), ChannelId(1), MessageId(message), None, None))
        except TooManyConcurrentRequests:
            return False
        return True

    async with writer.running():
        flood = [
            asyncio.create_task(move(1, n)) for n in range(2 * read_state_writer._MAX_QUEUED_ROWS)
        ]
        others = [asyncio.create_task(move(2 + n, 0)) for n in range(1000)]
        await asyncio.sleep(0)
        go.set()
        assert all(await asyncio.gather(*others))
        assert 0 < sum(await asyncio.gather(*flood)) <= read_state_writer._MAX_QUEUED_PER_USER + 1
    assert sum(each.count(1) for each in statements[:6]) <= 6
    assert sum(map(len, statements[:8])) > 1000

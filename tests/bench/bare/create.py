"""The lower bound of creating a message: an aiohttp handler, an INSERT and its commit.

POST /alone commits each row in a transaction of its own. POST /grouped commits the rows that arrive
during a commit in one statement after it. Run with: PORT DATABASE_URL
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from typing import Any

import aiopg
import orjson
import uvloop
from aiohttp import web

_SCHEMA = """
    CREATE TABLE IF NOT EXISTS bare_messages (
        channel_id bigint NOT NULL,
        id         bigint NOT NULL,
        author_id  bigint NOT NULL,
        content    text NOT NULL,
        PRIMARY KEY (channel_id, id)
    );
    TRUNCATE bare_messages
"""


class Writer:
    """Inserts rows on one connection in autocommit mode."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._ids = itertools.count(1)
        self._waiting: list[tuple[str, asyncio.Future[int]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def alone(self, content: str) -> int:
        message_id = next(self._ids)
        async with self._connection.cursor() as cur:
            await cur.execute(
                "INSERT INTO bare_messages VALUES (1, %s, 1, %s)", (message_id, content)
            )
        return message_id

    async def grouped(self, content: str) -> int:
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append((content, done))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        return await done

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            ids = [next(self._ids) for _ in batch]
            async with self._connection.cursor() as cur:
                await cur.execute(
                    "INSERT INTO bare_messages SELECT 1, id, 1, content"
                    " FROM unnest(%s::bigint[], %s::text[]) AS wanted (id, content)",
                    (ids, [content for content, _ in batch]),
                )
            for message_id, (_, done) in zip(ids, batch, strict=True):
                done.set_result(message_id)
        self._writing = None


async def application(database_url: str) -> web.Application:
    connection = await aiopg.connect(
        database_url, enable_json=False, enable_hstore=False, enable_uuid=False
    )
    async with connection.cursor() as cur:
        await cur.execute(_SCHEMA)
    writer = Writer(connection)

    async def alone(request: web.Request) -> web.Response:
        content = orjson.loads(await request.read())["content"]
        return answer(await writer.alone(content), content)

    async def grouped(request: web.Request) -> web.Response:
        content = orjson.loads(await request.read())["content"]
        return answer(await writer.grouped(content), content)

    def answer(message_id: int, content: str) -> web.Response:
        body = orjson.dumps({"id": str(message_id), "content": content})
        return web.Response(body=body, content_type="application/json")

    async def ready(_: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.router.add_post("/alone", alone)
    app.router.add_post("/grouped", grouped)
    app.router.add_get("/health/ready", ready)
    return app


if __name__ == "__main__":
    port, url = int(sys.argv[1]), sys.argv[2]
    loop = uvloop.new_event_loop()
    web.run_app(application(url), host="127.0.0.1", port=port, access_log=None, loop=loop)

"""The lower bound of reading fifty messages: an aiohttp handler, the query, and orjson.

GET /messages?before=ID returns the newest fifty messages before an id, with Discord's fields.
Run with: PORT DATABASE_URL HOW_MANY
"""

from __future__ import annotations

import sys
from typing import Any

import aiopg
import orjson
import uvloop
from aiohttp import web

_SCHEMA = """
    CREATE TABLE bare_users (
        id bigint PRIMARY KEY, username text NOT NULL, global_name text, avatar text
    );
    CREATE TABLE bare_history (
        channel_id bigint NOT NULL,
        id         bigint NOT NULL,
        author_id  bigint NOT NULL,
        content    text NOT NULL,
        flags      integer NOT NULL DEFAULT 0,
        edited_at  timestamptz,
        PRIMARY KEY (channel_id, id)
    );
    INSERT INTO bare_users SELECT id, 'u' || id FROM generate_series(1, 50) AS id;
    INSERT INTO bare_history (channel_id, id, author_id, content)
    SELECT 1, n, 1 + n % 50, 'message ' || n || ' of a long history, as long as people write'
      FROM generate_series(1, {count}) AS n;
    ANALYZE bare_users, bare_history
"""
_PAGE = """
    SELECT m.id, m.author_id, m.content, m.flags, m.edited_at, u.username, u.global_name, u.avatar
      FROM bare_history AS m JOIN bare_users AS u ON u.id = m.author_id
     WHERE m.channel_id = 1 AND m.id < %s
  ORDER BY m.id DESC
     LIMIT 50
"""


def message(row: Any) -> dict[str, Any]:
    message_id, author_id, content, flags, edited_at, username, global_name, avatar = row
    return {
        "id": str(message_id),
        "channel_id": "1",
        "type": 0,
        "content": content,
        "author": {
            "id": str(author_id),
            "username": username,
            "global_name": global_name,
            "avatar": avatar,
            "discriminator": "0",
            "bot": False,
        },
        "timestamp": "2025-01-01T00:00:00.000000+00:00",
        "edited_timestamp": edited_at,
        "flags": flags,
        "tts": False,
        "pinned": False,
        "mention_everyone": False,
        "mentions": [],
        "mention_roles": [],
        "attachments": [],
        "embeds": [],
    }


async def application(database_url: str, count: int) -> web.Application:
    pool = await aiopg.create_pool(
        database_url,
        minsize=8,
        maxsize=8,
        timeout=300,  # seeding takes long
        enable_json=False,
        enable_hstore=False,
        enable_uuid=False,
    )
    async with pool.acquire() as connection, connection.cursor() as cur:
        await cur.execute(_SCHEMA.format(count=count))

    async def page(request: web.Request) -> web.Response:
        async with pool.acquire() as connection, connection.cursor() as cur:
            await cur.execute(_PAGE, (int(request.query["before"]),))
            rows = await cur.fetchall()
        body = orjson.dumps([message(row) for row in rows])
        return web.Response(body=body, content_type="application/json")

    async def ready(_: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.router.add_get("/messages", page)
    app.router.add_get("/health/ready", ready)
    return app


if __name__ == "__main__":
    port, url, how_many = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    loop, made = uvloop.new_event_loop(), application(url, how_many)
    web.run_app(made, host="127.0.0.1", port=port, access_log=None, loop=loop)

"""Messages with files, and the download of files."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import aiohttp
import orjson
import psycopg2
from PIL import Image

from tests.conftest import Server
from tests.world import Answer, Guild, Person, Rest, World

PUBLIC_URL = "http://chatd.test"

Counted = Callable[[], int]
"""Counts what a test has made."""


def png_bytes(width: int = 3, height: int = 2) -> bytes:
    """Return a black PNG of this size."""
    data = io.BytesIO()
    Image.new("RGB", (width, height)).save(data, "PNG")
    return data.getvalue()


def message_form(
    payload: object = None, *files: tuple[str, bytes], **options: Any
) -> aiohttp.FormData:
    """Return a multipart body of a message with files, as libraries for bots send it."""
    data = aiohttp.FormData(quote_fields=False)
    if options.get("payload_last") is None and payload is not None:
        text = orjson.dumps(payload).decode()
        data.add_field("payload_json", text, content_type="application/json")
    for number, (name, content) in enumerate(files):
        data.add_field(
            f"files[{number}]",
            io.BytesIO(content),
            filename=name,
            content_type="application/octet-stream",
        )
    if options.get("payload_last") is not None:
        data.add_field("payload_json", orjson.dumps(payload).decode())
    return data


async def send_form(rest: Rest, path: str, data: aiohttp.FormData, method: str = "POST") -> Answer:
    """Send a multipart body."""
    return await rest.call(method, path, data=data)


async def download(world: World, url: str, method: str = "GET", **headers: str) -> Answer:
    """Follow a link without a token."""
    assert url.startswith(PUBLIC_URL)
    return await world.anonymous.call(method, url.removeprefix(PUBLIC_URL), headers=headers)


async def guild_with_member(world: World) -> tuple[Guild, str, Person]:
    """Return a guild, the path of its channel's messages, and a member that is not its owner."""
    guild = await world.guild(owner="alice", members=["bob"])
    return guild, f"/channels/{guild.general.id}/messages", await world.person("bob")


def uploads_of(server: Server) -> set[int]:
    """Return the stored files that no message has claimed and no deletion is pending for."""
    with psycopg2.connect(server.config.database_url) as connection, connection.cursor() as cur:
        cur.execute("SELECT id FROM uploads")
        rows = cur.fetchall()
    connection.close()
    return {int(row[0]) for row in rows}

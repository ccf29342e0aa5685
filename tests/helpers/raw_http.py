"""HTTP requests as bytes, which no client library would send."""

from __future__ import annotations

import asyncio
import re

from tests.conftest import Server


def filled_path(path: str, value: str) -> str:
    """Return the path with this value for each of its parameters."""
    return re.sub(r"\{\w+\}", value, path)


async def raw_response(server: Server, request: bytes) -> bytes:
    """Send these bytes on a new connection; return the head of the response."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    async with asyncio.timeout(60):
        head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    return head

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


class Sender:
    """Sends requests to one route as one account, byte by byte."""

    def __init__(self, server: Server, token: str) -> None:
        host, _, port = server.url.removeprefix("http://").partition(":")
        self._host, self._port = host, int(port)
        self.token = token
        self.is_upgrading = False

    async def chunked(self, target: str, body: bytes, *heads: str) -> bytes:
        """Send a body in chunks, given with their sizes; returns the response."""
        lines = [f"POST {target} HTTP/1.1", "Host: x", "Connection: close", *heads]
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            async with asyncio.timeout(60):
                writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
                return await reader.read()
        finally:
            writer.close()

    async def send(self, method: str, target: str, body: bytes = b"", *heads: str) -> bytes:
        """Send a request; returns the response."""
        connection = "Upgrade" if self.is_upgrading else "close"
        lines = [f"{method} {target} HTTP/1.1", "Host: x", f"Connection: {connection}", *heads]
        given = {each.partition(":")[0] for each in heads}
        if "Authorization" not in given:
            lines.append(f"Authorization: Bearer {self.token}")
        if body or method in ("POST", "PUT", "PATCH"):
            lines.append(f"Content-Length: {len(body)}")
            if "Content-Type" not in given:
                lines.append("Content-Type: application/json")
        head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            async with asyncio.timeout(60):
                writer.write(head + body)
                return await reader.read()
        finally:
            writer.close()

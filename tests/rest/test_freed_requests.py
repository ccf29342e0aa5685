"""A request that ends frees its memory at once, without the garbage collector."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.conftest import Server
from tests.helpers.attachments import message_form, send_form
from tests.helpers.cycles import left_in_cycles
from tests.world import World

BODY = "POST {messages} HTTP/1.1\r\n{head}Content-Type: application/json\r\n"
FORM = "POST {messages} HTTP/1.1\r\n{head}Content-Type: multipart/form-data; boundary=b\r\n"
PART = '--b\r\nContent-Disposition: form-data; name="files[0]"; filename="a.txt"\r\n\r\n'

ANSWERED = {
    "no HTTP": "\0\1\2\r\n\r\n",
    "no token": "GET /users/@me HTTP/1.1\r\nHost: x\r\n\r\n",
    "kept alive": "GET /users/@me HTTP/1.1\r\n{head}\r\n",
    "no route": "GET /nowhere HTTP/1.1\r\n{head}\r\n",
    "no method": "PUT /users/@me HTTP/1.1\r\n{head}\r\n",
    "no JSON": BODY + "Content-Length: 1\r\n\r\n{{",
    "invalid JSON": BODY + 'Content-Length: 14\r\n\r\n{{"content": 5}}',
    "too large": BODY + "Content-Length: 100000000\r\n\r\n{{",
    "invalid chunk": BODY + "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "invalid form": FORM + "Content-Length: 10\r\n\r\n0123456789",
    "no handshake": "GET /gateway HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n",
}
"""Requests whose connection the client closes after the answer."""

ABANDONED = {
    "half a head": "GET /users/@me HTTP/1.1\r\nHo",
    "half a body": BODY + "Content-Length: 100\r\n\r\n{{",
    "half a file": FORM + "Content-Length: 100000\r\n\r\n" + PART + "x" * 5000,
    "no time for the answer": "GET {messages} HTTP/1.1\r\n{head}\r\n",
}
"""Requests whose connection the client closes before the answer."""


async def text_of(world: World, request: str) -> bytes:
    """Return the bytes of a request of Bob, who is a member of a guild."""
    guild = await world.guild(owner="alice", members=["bob"])
    token = (await world.person("bob")).token
    head = f"Host: x\r\nAuthorization: Bearer {token}\r\n"
    messages = f"/channels/{guild.general.id}/messages"
    return request.format(messages=messages, head=head).encode()


async def opened(server: Server) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a connection to the API."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    return await asyncio.open_connection(host, int(port))


@pytest.mark.parametrize("request_text", ANSWERED.values(), ids=ANSWERED)
async def test_answered_request_leaves_no_cycles(
    world: World, server: Server, request_text: str
) -> None:
    request = await text_of(world, request_text)

    async def act() -> None:
        reader, writer = await opened(server)
        writer.write(request)
        assert await reader.read(1)
        writer.close()
        await writer.wait_closed()

    assert await left_in_cycles(act) == []


@pytest.mark.parametrize("is_reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("request_text", ABANDONED.values(), ids=ABANDONED)
async def test_abandoned_request_leaves_no_cycles(
    world: World, server: Server, request_text: str, *, is_reset: bool
) -> None:
    request = await text_of(world, request_text)

    async def act() -> None:
        _, writer = await opened(server)
        writer.write(request)
        await writer.drain()
        await world.anonymous.call("GET", "/health")  # the server has read the request by then
        if is_reset:
            writer.transport.abort()
        else:
            writer.close()

    assert await left_in_cycles(act) == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/users/@me", None, 200),
        ("GET", "/users/1", None, 404),
        ("GET", "/channels/{channel}/messages", None, 200),
        ("POST", "/channels/{channel}/messages", {"content": "hello"}, 200),
        ("POST", "/channels/1/messages", {"content": "hello"}, 404),
        ("PATCH", "/guilds/{guild}", {"name": "renamed"}, 403),
        ("PUT", "/channels/{channel}/messages/1/reactions/%F0%9F%91%8D/@me", None, 404),
    ],
)
async def test_call_leaves_no_cycles(
    world: World, method: str, path: str, body: Any, status: int
) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    path = path.format(guild=guild.id, channel=guild.general.id)

    async def act() -> None:
        assert (await bob.rest.call(method, path, body)).status == status

    assert await left_in_cycles(act) == []


async def test_upload_leaves_no_cycles(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")

    async def act() -> None:
        form = message_form({"content": "a file"}, ("a.txt", b"x" * 100_000))
        path = f"/channels/{guild.general.id}/messages"
        assert (await send_form(bob.rest, path, form)).status == 200

    assert await left_in_cycles(act) == []

"""Requests to servers of other people: where they go, and how much they read."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import pytest
from aiohttp import web

from chatd.http_client import resolver
from chatd.http_client.client import MAX_ANSWER, HttpClient, HttpClientError
from chatd.http_client.resolver import CheckedResolver
from tests.helpers.endpoints import serving_urls

TIMEOUT_S = 20.0


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    made = HttpClient(allow_private=True)
    yield made
    await made.close()


@pytest.fixture
async def strict() -> AsyncIterator[HttpClient]:
    made = HttpClient()
    yield made
    await made.close()


async def _ok(_: web.Request) -> web.Response:
    return web.json_response({})


@pytest.mark.parametrize(
    "url",
    [
        "http://{host}",  # not https
        "https://127.0.0.1:{port}/",
        "https://127.1:{port}/",
        "https://2130706433:{port}/",
        "https://0x7f.1:{port}/",
        "https://[::1]:{port}/",
        "https://[::ffff:127.0.0.1]:{port}/",
        "https://localhost:{port}/",
        "https://user@localhost:{port}/",
        "ftp://localhost:{port}/",
        "https://",
        "https://[",
    ],
)
async def test_inward_urls_are_refused(strict: HttpClient, url: str) -> None:
    """Without a connection: the server would notice it."""
    connected = asyncio.Event()

    async def notice(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        writer.close()

    server = await asyncio.start_server(notice, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        with pytest.raises(HttpClientError):
            await strict.post(
                url.format(host=f"{host}:{port}", port=port), b"", {}, timeout_s=TIMEOUT_S
            )
    assert not connected.is_set()


async def test_connection_is_to_the_address_that_was_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name that has another address each time is looked up once for a connection."""
    answers = iter([["1.1.1.1"], ["127.0.0.1"]])
    monkeypatch.setattr(resolver, "_addresses", lambda *_: next(answers))
    checked = CheckedResolver()
    for _ in range(2):
        [found] = await checked.resolve("rebinding.example", 443, socket.AF_INET)
        assert found["host"] == "1.1.1.1"
    await checked.close()


async def test_name_with_one_inward_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver, "_addresses", lambda *_: ["1.1.1.1", "10.0.0.1"])
    checked = CheckedResolver()
    with pytest.raises(OSError, match="not public"):
        await checked.resolve("mixed.example", 443, socket.AF_INET)
    await checked.close()


@pytest.mark.parametrize(("slow_s", "lookups"), [(0.0, 1), (60.0, 3)])
@pytest.mark.parametrize("fails", [True, False])
async def test_slow_lookups_are_not_repeated_soon(
    monkeypatch: pytest.MonkeyPatch, slow_s: float, lookups: int, fails: bool
) -> None:
    """A name server that never answers would occupy a thread all the time."""
    found = []

    def look_up(host: str, *_: object) -> list[str]:
        found.append(host)
        if fails:
            raise OSError
        return ["1.1.1.1"]

    monkeypatch.setattr(resolver, "_addresses", look_up)
    monkeypatch.setattr(resolver, "_KEPT_S", -1.0)
    monkeypatch.setattr(resolver, "_SLOW_S", slow_s)
    checked = CheckedResolver()
    for _ in range(3):
        with suppress(OSError):
            await checked.resolve("slow.example", 443, socket.AF_INET)
    assert len(found) == lookups
    await checked.close()


async def test_number_of_names_that_are_kept_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver, "_addresses", lambda *_: ["1.1.1.1"])
    monkeypatch.setattr(resolver, "_MAX_NAMES", 3)
    checked = CheckedResolver()
    for number in range(10):
        await checked.resolve(f"{number}.example", 443, socket.AF_INET)
    assert len(checked._lookups) == 3
    await checked.close()


async def test_redirects_are_not_followed(client: HttpClient) -> None:
    paths = []

    async def redirect(request: web.Request) -> web.Response:
        paths.append(request.path)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    async with serving_urls(redirect) as url:
        answer = await client.post(f"{url}/first", b"", {}, timeout_s=TIMEOUT_S)
    assert (answer.status, paths) == (307, ["/first"])


def _bytes(size: int, headers: dict[str, str]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def respond(_: web.Request) -> web.Response:
        return web.Response(body=b"x" * size, headers=headers)

    return respond


async def test_answers_are_read_up_to_a_size(client: HttpClient) -> None:
    async with serving_urls(_bytes(MAX_ANSWER, {})) as url:
        answer = await client.post(url, b"", {}, timeout_s=TIMEOUT_S)
        assert len(answer.body) == MAX_ANSWER
    async with serving_urls(_bytes(MAX_ANSWER + 1, {})) as url:
        with pytest.raises(HttpClientError, match="more than"):
            await client.post(url, b"", {}, timeout_s=TIMEOUT_S)


async def test_compressed_answers_are_refused(client: HttpClient) -> None:
    """A small one can be the compressed form of a very large one."""
    async with serving_urls(_bytes(10, {"Content-Encoding": "gzip"})) as url:
        with pytest.raises(HttpClientError, match="compressed"):
            await client.post(url, b"", {}, timeout_s=TIMEOUT_S)


async def test_silent_server_ends_in_an_error(client: HttpClient) -> None:
    release = asyncio.Event()

    async def wait(_: web.Request) -> web.Response:
        await release.wait()
        return web.Response()

    async with serving_urls(wait) as url:
        with pytest.raises(HttpClientError):
            await client.post(url, b"", {}, timeout_s=0.05)
        release.set()


async def test_server_that_speaks_no_http_ends_in_an_error(client: HttpClient) -> None:
    async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.org ESMTP\r\n")
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        with pytest.raises(HttpClientError):
            await client.post(f"http://{host}:{port}/", b"", {}, timeout_s=TIMEOUT_S)

"""A hostile client, with rate limits enabled, and the latency of another client.

Its requests once stalled the server: bodies that cost much more to validate than to send, searches
that use all database connections, silent sockets, and bans of authors with many messages.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import aiohttp
import orjson
import psycopg2

from tests.faults.faults import Fault, FaultContext, Injection
from tests.faults.load import Load
from tests.history.environment import Cluster

_FIRST_ANSWER_S = 60.0
_WAIT_S = 0.1
"""The highest p99 latency of another client, in seconds."""

_PROBE_S = 0.05
_ADDRESS = "127.0.0.2"
"""The hostile client has its own address, since clients of one address share limits."""

_LIGATURE = "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}"  # 18 characters after NFKC
_MESSAGES = 20_000


class Hostile:
    """The hostile client, with its own account."""

    def __init__(self, cluster: Cluster, url: str, token: str) -> None:
        self.cluster = cluster
        self.url = url
        self.token = token
        self.requests = 0

    async def send(self, method: str, path: str, body: bytes, **headers: str) -> None:
        """Make a request on its own connection, and ignore the response."""
        self.requests += 1
        headers = {"Content-Type": "application/json", **headers}
        timeout = aiohttp.ClientTimeout(10)
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            connector = aiohttp.TCPConnector(local_addr=(_ADDRESS, 0))
            async with (
                aiohttp.ClientSession(timeout=timeout, connector=connector) as http,
                http.request(method, self.url + path, data=body, headers=headers) as answer,
            ):
                await answer.read()

    async def send_as_itself(self, method: str, path: str, body: bytes = b"") -> None:
        """Make a request with its token."""
        await self.send(method, path, body, Authorization=f"Bearer {self.token}")


Attack = Callable[[Hostile], Awaitable[None]]
"""An action that a hostile client repeats, in several tasks at once."""


async def bodies(hostile: Hostile) -> None:
    """Send a body that is expensive to validate, with or without a token."""
    channel = random.choice(hostile.cluster.channels)
    method, path, body = random.choice(
        [
            ("POST", f"/channels/{channel}/messages", {"embeds": [{}] * 40_000}),
            ("POST", f"/channels/{channel}/messages", {"content": _LIGATURE * 40_000}),
            ("POST", "/channels/1/messages", {"embeds": [{"fields": [{}] * 10_000}] * 4}),
            ("PATCH", f"/channels/{channel}", {"permission_overwrites": [{}] * 40_000}),
            ("PATCH", "/users/@me", {"global_name": _LIGATURE * 300_000}),
            ("POST", "/users/@me/channels", {"recipients": ["1"] * 100_000}),
            ("POST", "/auth/register", {"username": _LIGATURE * 340_000}),
            ("POST", "/auth/login", {str(number): number for number in range(50_000)}),
        ]
    )
    send = hostile.send if path.startswith("/auth") else hostile.send_as_itself
    await send(method, path, orjson.dumps(body))


async def searches(hostile: Hostile) -> None:
    """Search for many terms in long messages."""
    text = "+".join(secrets.token_hex(2) for _ in range(100))
    path = f"/guilds/{hostile.cluster.guild_id}/messages/search?content={text}"
    await hostile.send_as_itself("GET", path)


async def sockets(hostile: Hostile) -> None:
    """Open connections, and send a part of a request or nothing."""
    host, _, port = hostile.url.removeprefix("http://").partition(":")
    opened = []
    try:
        for number in range(200):
            one = socket.socket()
            one.bind((_ADDRESS, 0))
            one.setblocking(False)
            with contextlib.suppress(BlockingIOError, OSError):
                one.connect((host, int(port)))
            opened.append(one)
            await asyncio.sleep(0.001)
            if number % 2:
                with contextlib.suppress(OSError):
                    one.send(b"GET / HTTP/1.1\r\nHost: ")
        hostile.requests += len(opened)
        await asyncio.sleep(0.5)
    finally:
        for one in opened:
            one.close()


async def bans(hostile: Hostile) -> None:
    """As a moderator, ban an author of many messages, and delete the messages."""
    author = _create_prolific_author(hostile.cluster)
    path = f"/guilds/{hostile.cluster.guild_id}/bans/{author}"
    body = orjson.dumps({"delete_message_seconds": 604_800})
    owner = f"Bearer {hostile.cluster.tokens[0]}"
    await hostile.send("PUT", path, body, Authorization=owner)


def attack(what: Attack, *, at_once: int) -> Fault:
    """Return a fault in which one client repeats an action in `at_once` tasks."""

    @asynccontextmanager
    async def fault(context: FaultContext) -> AsyncIterator[Injection]:
        cluster = context.cluster
        name = f"h.{secrets.token_hex(6)}"
        body = {"username": name, "email": f"{name}@example.org", "password": "Password123!"}
        token = (await cluster.call("", "POST", "/auth/register", body))["access_token"]
        path = f"/channels/{cluster.channels[0]}/invites"
        code = (await cluster.call(cluster.tokens[0], "POST", path, {}))["code"]
        await cluster.call(token, "POST", f"/invites/{code}", {})

        async def inject(load: Load) -> float:
            hostile = Hostile(cluster, context.target.url, token)
            waits: list[float] = []
            attacking = [asyncio.create_task(_repeat(what, hostile)) for _ in range(at_once)]
            probing = asyncio.create_task(_probe(context.target.url, cluster.tokens[1], waits))
            await asyncio.sleep(context.seconds(20, 1.5))
            async with asyncio.timeout(_FIRST_ANSWER_S):
                while not waits:  # on a busy machine, the other client has no answer yet
                    await asyncio.sleep(0.05)
            for task in (*attacking, probing):
                task.cancel()
            await asyncio.gather(*attacking, probing, return_exceptions=True)
            since = time.monotonic()
            waits.sort()
            most, usual = waits[-1], waits[int(len(waits) * 0.99) - 1]
            context.notes.append(
                f"{hostile.requests} hostile requests; another client waited"
                f" {usual * 1000:.0f} ms (p99), {most * 1000:.0f} ms at most"
            )
            if usual > _WAIT_S and not context.short:
                load.problems.append(f"another client waited {usual * 1000:.0f} ms (p99)")
            return since

        async with context.changed(RATE_LIMITS="on", CONNECTIONS_PER_ADDRESS="1000"):
            yield inject

    return fault


async def _repeat(what: Attack, hostile: Hostile) -> None:
    while True:
        await what(hostile)


async def _probe(url: str, token: str, waits: list[float]) -> None:
    """Measure the latency of another client, on one persistent connection."""
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers) as http:
        while True:
            began = time.monotonic()
            async with http.get(f"{url}/users/@me") as answer:
                await answer.read()
                assert answer.status == 200, answer.status
            waits.append(time.monotonic() - began)
            await asyncio.sleep(_PROBE_S)


def _create_prolific_author(cluster: Cluster) -> int:
    """Create a member with many messages. Return its id."""
    with _database(cluster) as cur:
        author = random.randrange(10**15, 10**16)
        cur.execute(
            "INSERT INTO users (id, username, username_key, email, email_key, password_hash)"
            " VALUES (%(id)s, %(name)s, %(name)s, %(name)s, %(name)s, '')",
            {"id": author, "name": f"a{author}"},
        )
        cur.execute("INSERT INTO streams (id) VALUES (%s)", (author,))
        cur.execute(
            "INSERT INTO guild_members (guild_id, user_id) VALUES (%s, %s)",
            (cluster.guild_id, author),
        )
        # In a separate channel, which the checker does not read.
        channel = author + 1
        cur.execute(
            "INSERT INTO channels (id, guild_id, type, name) VALUES (%s, %s, 0, 'prolific')",
            (channel, cluster.guild_id),
        )
        cur.execute(
            "INSERT INTO messages (channel_id, id, author_id, content)"
            " SELECT %s, ((extract(epoch FROM now())::bigint * 1000 - 1420070400000) << 22) - n,"
            " %s, 'text' FROM generate_series(1, %s) AS n",
            (channel, author, _MESSAGES),
        )
    return author


@contextlib.contextmanager
def _database(cluster: Cluster) -> Iterator[psycopg2.extensions.cursor]:
    connection = psycopg2.connect(cluster.instances[0].environment["DATABASE_URL"])
    try:
        with connection, connection.cursor() as cur:
            yield cur
    finally:
        connection.close()

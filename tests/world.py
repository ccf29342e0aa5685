"""A world to tell stories in: people, their guilds, and their clients, against a real server."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import secrets
from collections import deque
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from chatd.core.intents import ALL_INTENTS, Intents
from tests import contract

PATIENCE_S = 10.0
PASSWORD = "Password123!"
WITHOUT_PRESENCES = int(ALL_INTENTS & ~Intents.GUILD_PRESENCES)

_serial = itertools.count()


class like:
    """Equals every mapping that has at least these entries."""

    def __init__(self, **wanted: Any) -> None:
        self._wanted = wanted

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and all(
            name in other and other[name] == value for name, value in self._wanted.items()
        )

    def __hash__(self) -> int:
        raise TypeError("like() is only for comparing")

    def __repr__(self) -> str:
        return f"like({', '.join(f'{name}={value!r}' for name, value in self._wanted.items())})"


@dataclass(frozen=True)
class Answer:
    """What a request was answered with."""

    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.raw)

    @property
    def code(self) -> int:
        """Discord's code of a refusal."""
        return int(self.json["code"])


@dataclass(frozen=True)
class Dispatched:
    """A dispatch that a client has received."""

    t: str
    s: int
    d: Any


@dataclass
class Rest:
    """Calls the API for one account; `token` None calls as nobody."""

    http: aiohttp.ClientSession
    url: str
    token: str | None = None
    scheme: str = "Bearer"

    async def call(self, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        """Make a request, whatever the answer; a 500 is never expected."""
        headers = dict(options.pop("headers", {}))
        if self.token is not None:
            headers.setdefault("Authorization", f"{self.scheme} {self.token}")
        if body is not None:
            options["data"] = orjson.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        url = self.url + path
        async with self.http.request(method, url, headers=headers, **options) as response:
            answer = Answer(response.status, response.headers, await response.read())
        assert answer.status != 500, f"{method} {path}: {answer.raw!r}"
        media = response.headers.get("Content-Type", "").partition(";")[0]
        contract.check(method, path, answer.status, media, answer.raw)
        return answer

    async def _well(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self.call(method, path, body)
        assert 200 <= answer.status < 300, f"{method} {path}: {answer.status} {answer.raw!r}"
        return answer.json if answer.raw else None

    async def get(self, path: str) -> Any:
        """GET what must succeed; the JSON of the answer."""
        return await self._well("GET", path)

    async def post(self, path: str, body: Any = None) -> Any:
        """POST what must succeed; the JSON of the answer."""
        return await self._well("POST", path, body)

    async def patch(self, path: str, body: Any) -> Any:
        """PATCH what must succeed; the JSON of the answer."""
        return await self._well("PATCH", path, body)

    async def put(self, path: str, body: Any = None) -> Any:
        """PUT what must succeed; the JSON of the answer."""
        return await self._well("PUT", path, body)

    async def delete(self, path: str) -> Any:
        """DELETE what must succeed; the JSON of the answer, if there is any."""
        return await self._well("DELETE", path)


class Client:
    """A gateway client, on another library than the server's."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._received: deque[Dispatched] = deque()
        self._others: deque[dict[str, Any]] = deque()
        self._news = asyncio.Condition()
        self._reader = asyncio.create_task(self._read())
        self.close_code: int | None = None
        self.ready: dict[str, Any] = {}
        self.seq = 0

    async def send(self, op: int, data: Any) -> None:
        """Send a payload."""
        await self._socket.send(orjson.dumps({"op": op, "d": data}).decode())

    async def send_raw(self, frame: str | bytes) -> None:
        """Send a frame as it is."""
        await self._socket.send(frame)

    async def send_raw_parts(self, parts: str | list[str]) -> None:
        """Send a message as it is, each part of it in a frame of its own."""
        with contextlib.suppress(ConnectionClosed):
            await self._socket.send(parts)

    async def ping(self) -> None:
        """Send a ping, and do not wait for its answer."""
        await self._socket.ping()

    async def identify(self, token: str, **extra: Any) -> None:
        """Identify, and wait until READY and every guild in it have arrived."""
        self.seq = 0
        await self.send(2, {"token": token, "properties": {}, **extra})
        self.ready = (await self.next("READY")).d
        missing = {guild["id"] for guild in self.ready["guilds"]}
        while missing:
            missing.discard((await self.next("GUILD_CREATE")).d["id"])

    async def next(self, name: str) -> Dispatched:
        """The next dispatch of this name; those before it are passed over."""
        return await self.next_of(name)

    async def next_of(self, *names: str) -> Dispatched:
        """The next dispatch of one of these names; those before it are passed over."""
        async with asyncio.timeout(PATIENCE_S), self._news:
            while True:
                if (found := self._passed(names)) is not None:
                    return found
                await self._wait(f"waiting for {' or '.join(names)}")

    async def next_or_told(self, name: str, *, within_s: float) -> Dispatched | None:
        """The next dispatch of this name; None when there is none, but op 9: to identify anew."""
        async with asyncio.timeout(within_s), self._news:
            while True:
                if (found := self._passed([name])) is not None:
                    return found
                if any(payload["op"] == 9 for payload in self._others):
                    return None
                await self._wait(f"waiting for {name}, or op 9")

    def _passed(self, names: Collection[str]) -> Dispatched | None:
        while self._received:
            dispatched = self._received.popleft()
            if dispatched.t in names:
                return dispatched
        return None

    async def next_any(self) -> Dispatched:
        """The next dispatch, whatever it is."""
        async with asyncio.timeout(PATIENCE_S), self._news:
            while not self._received:
                await self._wait("waiting for anything")
            return self._received.popleft()

    async def next_op(self, op: int) -> dict[str, Any]:
        """The next payload of this opcode that is no dispatch."""
        async with asyncio.timeout(PATIENCE_S), self._news:
            while True:
                while self._others:
                    payload = self._others.popleft()
                    if payload["op"] == op:
                        return payload
                await self._wait(f"waiting for op {op}")

    def received(self, name: str) -> list[Dispatched]:
        """The dispatches of this name that have arrived and not been asked for yet."""
        found = [each for each in self._received if each.t == name]
        self._received.clear()
        return found

    def all_received(self) -> list[Dispatched]:
        """The dispatches that have arrived and not been asked for yet."""
        found = list(self._received)
        self._received.clear()
        return found

    async def heard_before_fence(self) -> list[Dispatched]:
        """All that was on its way to this client, up to a heartbeat of now."""
        await self.send(1, None)
        await self.next_op(11)
        heard = list(self._received)
        self._received.clear()
        return heard

    async def closed(self) -> int | None:
        """Wait until the server closes; the code."""
        async with asyncio.timeout(PATIENCE_S):
            await self._reader
        return self.close_code

    async def cut(self) -> None:
        """Drop the connection without a word."""
        self._socket.transport.abort()
        await self._reader

    async def leave(self) -> None:
        """Close in good order."""
        await self._socket.close()
        await self._reader

    async def _wait(self, what: str) -> None:
        if self._reader.done():
            self._reader.result()
            raise AssertionError(f"closed with {self.close_code} while {what}")
        await self._news.wait()

    async def _read(self) -> None:
        try:
            async for frame in self._socket:
                payload = orjson.loads(frame)
                async with self._news:
                    if payload["op"] == 0:
                        self.seq += 1
                        assert payload["s"] == self.seq, "the numbers have a hole"
                        self._received.append(Dispatched(payload["t"], payload["s"], payload["d"]))
                    else:
                        self._others.append(payload)
                    self._news.notify_all()
        except ConnectionClosed:
            pass
        finally:
            self.close_code = self._socket.close_code
            async with self._news:
                self._news.notify_all()


@dataclass(frozen=True)
class Person:
    """An account, and what to call the API with for it."""

    id: str
    name: str
    email: str
    token: str
    refresh_token: str
    rest: Rest


@dataclass(frozen=True)
class Channel:
    id: str
    name: str


@dataclass
class Guild:
    """A guild, whose owner acts for it."""

    id: str
    owner: Person
    channels: list[Channel] = field(default_factory=list)

    @property
    def general(self) -> Channel:
        return self.channels[0]

    async def channel(self, name: str, **options: Any) -> Channel:
        """Add a channel."""
        made = await self.owner.rest.post(f"/guilds/{self.id}/channels", {"name": name, **options})
        channel = Channel(made["id"], made["name"])
        self.channels.append(channel)
        return channel

    async def invite(self, **terms: Any) -> str:
        """The code of a new invite."""
        path = f"/channels/{self.general.id}/invites"
        made = await self.owner.rest.post(path, {"unique": True, **terms})
        return str(made["code"])

    async def admit(self, *people: Person) -> None:
        """Let people join."""
        code = await self.invite()
        for person in people:
            await person.rest.post(f"/invites/{code}")


class World:
    """People by their names, on one server."""

    def __init__(self, http: aiohttp.ClientSession, url: str, gateway_url: str) -> None:
        self.http = http
        self.url = url
        self.gateway_url = gateway_url
        self.shelf: dict[str, Guild] = {}
        """Where a test that runs many times keeps what it needs only once."""
        self._people: dict[str, Person] = {}
        self._clients = AsyncExitStack()

    @property
    def nobody(self) -> Rest:
        """Calls the API without a token."""
        return Rest(self.http, self.url)

    async def person(self, name: str) -> Person:
        """An account of this name in the story; made when it is first needed."""
        if name not in self._people:
            unique = f"{name}.{next(_serial)}.{secrets.token_hex(3)}"
            email = f"{unique}@example.org"
            body = {"username": unique, "email": email, "password": PASSWORD}
            made = await self.nobody.post("/auth/register", body)
            token = made["access_token"]
            rest = Rest(self.http, self.url, token)
            self._people[name] = Person(
                made["user"]["id"], unique, email, token, made["refresh_token"], rest
            )
        return self._people[name]

    async def people(self, *names: str) -> list[Person]:
        """Several accounts."""
        return [await self.person(name) for name in names]

    async def bot(self, name: str, owner: str, *guilds: Guild) -> Person:
        """The bot of a new application of somebody, in these guilds."""
        person = await self.person(owner)
        unique = f"{name}.{next(_serial)}.{secrets.token_hex(3)}"
        made = await person.rest.post("/applications", {"name": unique})
        token = (await person.rest.post(f"/applications/{made['id']}/bot/reset"))["token"]
        rest = Rest(self.http, self.url, token, "Bot")
        bot = self._people[name] = Person(made["id"], unique, "", token, "", rest)
        for guild in guilds:
            await guild.owner.rest.put(f"/guilds/{guild.id}/members/{bot.id}")
        return bot

    def meet(self, other: World) -> None:
        """Share the people of a world on another instance; each keeps its own server."""
        self._people = other._people

    def rest(self, name: str) -> Rest:
        """Calls the API as somebody who is known already."""
        return Rest(self.http, self.url, self._people[name].token)

    async def guild(self, owner: str, members: Iterable[str] = (), *, quiet: bool = True) -> Guild:
        """A guild with its general channel and these members."""
        person = await self.person(owner)
        made = await person.rest.post("/guilds", {"name": f"{owner}'s guild"})
        guild = Guild(made["id"], person)
        if quiet:  # nobody is told in the channel of those who join
            await person.rest.patch(f"/guilds/{guild.id}", {"system_channel_flags": 1})
        for channel in await person.rest.get(f"/guilds/{guild.id}/channels"):
            guild.channels.append(Channel(channel["id"], channel["name"]))
        if members:
            await guild.admit(*await self.people(*members))
        return guild

    async def socket(self, query: str = "", **options: Any) -> Client:
        """A gateway connection that has been greeted, and not identified."""
        socket = await self._clients.enter_async_context(
            connect(self.gateway_url + query, compression=None, max_size=None, **options)
        )
        client = Client(socket)
        await client.next_op(10)
        return client

    async def online(self, *names: str, **identify: Any) -> list[Client]:
        """A client for each of these people, ready and with all guilds.

        Unless `intents` says otherwise they get everything but presences.
        """
        clients = []
        for name in names:
            client = await self.socket()
            wanted = {"intents": WITHOUT_PRESENCES, **identify}
            await client.identify((await self.person(name)).token, **wanted)
            clients.append(client)
        return clients

    async def resumed(self, name: str, before: Client) -> Client:
        """A new connection that has asked to resume the session of another."""
        client = await self.socket()
        client.ready, client.seq = before.ready, before.seq
        await client.send(
            6,
            {
                "token": self._people[name].token,
                "session_id": before.ready["session_id"],
                "seq": before.seq,
            },
        )
        return client

    async def aclose(self) -> None:
        """Let every client leave."""
        await self._clients.aclose()


@asynccontextmanager
async def world_on(url: str, gateway_url: str) -> AsyncIterator[World]:
    """A world on the server at these addresses."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        world = World(http, url, gateway_url)
        try:
            yield world
        finally:
            await world.aclose()

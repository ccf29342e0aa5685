"""How a server is started, filled and spoken to.

`Adapter` speaks Discord's API as its documentation has it, so that for another server only what
differs has to be said, above all how it is started. One that runs with
`scripts/bench --adapter rival.py:Rival`:

    class Rival(Adapter):
        name = "rival"
        api = "/api/v9"

        def start(self, stage, number=0):
            port = free_port()
            return stage.start("rival", ["rival", "--port", str(port)], port=port)

        async def register(self, connection, name):
            body = {"username": name, "password": "correct horse"}
            raw = request("POST", "/api/v9/auth/register", body=body)
            return (await connection.well(raw)).json["token"]
"""

from __future__ import annotations

import asyncio
import importlib.util
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path

from chatd import migrations
from chatd.auth.tokens import AccessTokens
from tests.bench import filling
from tests.bench.http import Connection, request
from tests.bench.sockets import Session, Socket
from tests.bench.speech import Speech
from tests.bench.stage import Process, Stage, free_port

GUILDS, GUILD_MESSAGES = 1 << 0, 1 << 9


@dataclass(frozen=True)
class Size:
    """How much there is on a server."""

    members: int = 1000
    """Of the guild in which everything happens."""
    channels: int = 10
    """Of that guild."""
    guilds: int = 100
    """Of one user, who is in all of them; each has one member more."""
    messages: int = 1_000_000
    """In one channel."""
    places: int = 3
    """How many such guilds there are: one for each way of compression."""

    def times(self, factor: int) -> Size:
        """So many times as much of everything."""
        return Size(
            self.members * factor,
            self.channels * factor,
            self.guilds * factor,
            self.messages * factor,
            self.places,
        )


@dataclass(frozen=True)
class Place:
    """A guild with a channel that all its members read and write."""

    channel: str
    tokens: list[str]
    """Of its members, who are in no other guild; the first is the owner's."""


@dataclass
class Scene:
    """What was made on a server: tokens as IDENTIFY takes them, and ids."""

    places: list[Place]
    busy_token: str = ""
    """Of somebody in many guilds."""
    reader_token: str = ""
    long_channel: str = ""
    """The channel with the long history, which the reader owns."""
    deep_id: str = ""
    """A message in the middle of it."""


@dataclass(frozen=True)
class Talk:
    """A guild in which much has been said."""

    guild: str
    author: str
    """One of many who have."""
    reader_token: str


class Adapter:
    """A server that can be measured. Each adapter object has data of its own, which stays when an
    instance is killed and started again."""

    name = "server"
    api = ""
    gateway = "/gateway"
    ready_path = "/health/ready"
    authorization = "{token}"
    """The Authorization header."""
    intents = GUILDS | GUILD_MESSAGES
    presses_postgres = False
    """Whether it uses the Postgres and Valkey of the stage, whose CPU is then counted."""

    def start(self, stage: Stage, number: int = 0) -> Process:
        """Start an instance of it. Called with 0, 1, ... for as many as are needed."""
        raise NotImplementedError

    async def register(self, connection: Connection, name: str) -> str:
        """Make an account; its token."""
        raise NotImplementedError

    async def furnish(self, stage: Stage, port: int, size: Size) -> Scene:
        """Make accounts, guilds and a history, all over the API. Takes its time when it is much."""
        scene = Scene([])
        async with await Connection.to(port) as connection:
            for place in range(size.places):
                names = [f"bench{place}.{number}" for number in range(size.members)]
                tokens = [await self.register(connection, name) for name in names]
                channel = await self.guild(connection, tokens[0], tokens[1:], size.channels)
                scene.places.append(Place(channel, tokens))
            scene.busy_token = await self.register(connection, "busy")
            scene.reader_token = await self.register(connection, "reader")
            for _ in range(size.guilds):
                await self.guild(connection, scene.reader_token, [scene.busy_token])
            scene.long_channel = await self.guild(connection, scene.reader_token, [])
            for number in range(size.messages):
                raw = self.message(scene.reader_token, scene.long_channel, f"message {number}")
                made = (await connection.well(raw)).json
                if number == size.messages // 2:
                    scene.deep_id = made["id"]
        return scene

    async def talk(self, stage: Stage, port: int, speech: Speech, messages: int) -> Talk:
        """Say so much in a guild, over the API."""
        async with await Connection.to(port) as connection:
            token = await self.register(connection, "talker")
            channel = await self.guild(connection, token, [])
            made = {}
            for content in speech.messages(messages):
                made = (await connection.well(self.message(token, channel, content))).json
            there = (await connection.well(self.call("GET", f"/channels/{channel}", token))).json
        return Talk(there["guild_id"], made["author"]["id"], token)

    async def guild(
        self, connection: Connection, owner: str, members: list[str], channels: int = 1
    ) -> str:
        """Make a guild with a channel that all members read and write; that channel's id."""
        made = (await connection.well(self.call("POST", "/guilds", owner, {"name": "bench"}))).json
        path = f"/guilds/{made['id']}/channels"
        there = (await connection.well(self.call("GET", path, owner))).json
        channel: str = next(each["id"] for each in there if each["type"] == 0)
        for number in range(1, channels):
            raw = self.call("POST", path, owner, {"name": f"channel-{number}", "type": 0})
            await connection.well(raw)
        if members:
            path = f"/channels/{channel}/invites"
            code = (await connection.well(self.call("POST", path, owner, {}))).json["code"]
            for token in members:
                await connection.well(self.call("POST", f"/invites/{code}", token, {}))
        return channel

    def call(self, method: str, path: str, token: str, body: object = None) -> bytes:
        """A request of the API."""
        header = self.authorization.format(token=token)
        return request(method, self.api + path, token=header, body=body)

    def message(self, token: str, channel: str, content: str) -> bytes:
        """The request that sends a message."""
        return self.call("POST", f"/channels/{channel}/messages", token, {"content": content})

    def page(self, token: str, channel: str, before: str = "") -> bytes:
        """The request for fifty messages."""
        cursor = f"&before={before}" if before else ""
        return self.call("GET", f"/channels/{channel}/messages?limit=50{cursor}", token)

    async def connect(self, port: int, compress: str = "") -> Session:
        """A client on a socket of its own."""
        session = Session(Socket(self.gateway, compress))
        await session.socket.open(port)
        return session


class Chatd(Adapter):
    """chatd, whose accounts and history are written into its database directly."""

    name = "chatd"
    authorization = "Bearer {token}"
    presses_postgres = True

    def __init__(self) -> None:
        self._secret = secrets.token_hex(32)
        self._database = f"chatd_{secrets.token_hex(4)}"
        self.program = ["-m", "chatd", "serve"]
        """What Python runs."""

    def database_url(self, stage: Stage) -> str:
        """Where its data is."""
        return stage.postgres.url_of(self._database)

    def start(self, stage: Stage, number: int = 0) -> Process:
        """Start an instance on the database of this adapter."""
        url = stage.postgres.create(self._database)
        migrations.apply(url)
        port = free_port()
        environment = {
            "DATABASE_URL": url,
            "REDIS_URL": stage.valkey.url,
            "JWT_SECRET": self._secret,
            "API_PORT": str(port),
            "GATEWAY_PORT": str(port),
            "WORKER_ID": str(number),
            "RATE_LIMITS": "off",
            "SESSIONS_PER_USER": "0",
            "SOCKETS_PER_ADDRESS": "0",
            "HEARTBEAT_INTERVAL": "600000",
        }
        command = [sys.executable, *self.program]
        return stage.start(f"{self.name} {number}", command, port=port, environment=environment)

    async def furnish(self, stage: Stage, port: int, size: Size) -> Scene:
        """Fill the database. Takes seconds."""
        filled = await asyncio.to_thread(
            filling.fill,
            self.database_url(stage),
            places=size.places,
            members=size.members,
            channels=size.channels,
            guilds=size.guilds,
            messages=size.messages,
        )
        tokens = AccessTokens(self._secret, lifetime_s=86_400)
        return Scene(
            [
                Place(str(guild.channel_id), [tokens.issue(*member) for member in guild.members])
                for guild in filled.guilds
            ],
            busy_token=tokens.issue(*filled.busy),
            reader_token=tokens.issue(*filled.reader),
            long_channel=str(filled.long_channel_id),
            deep_id=str(filled.deep_id),
        )

    async def talk(self, stage: Stage, port: int, speech: Speech, messages: int) -> Talk:
        """Write it into the database. Takes seconds."""
        texts = speech.messages(messages)
        guild_id, members = await asyncio.to_thread(
            filling.talk, self.database_url(stage), texts, messages
        )
        tokens = AccessTokens(self._secret, lifetime_s=86_400)
        return Talk(str(guild_id), str(members[1][0]), tokens.issue(*members[0]))


def named(place: str) -> Adapter:
    """The adapter called `file.py:Class`."""
    path, _, name = place.partition(":")
    spec = importlib.util.spec_from_file_location(Path(path).stem, path)
    assert spec is not None and spec.loader is not None, f"{path} is no Python file"
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    adapter = getattr(module, name)()
    assert isinstance(adapter, Adapter), f"{place} is no Adapter"
    return adapter

"""How a server is started, seeded and called.

`Adapter` calls Discord's API as documented, so that an adapter of another server defines only what
differs, above all how the server is started. `scripts/bench --adapter rival.py:Rival` uses:

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
import os
import secrets
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL

from chatd.auth.tokens import AccessTokens
from chatd.db import migrations
from tests.bench import seeding
from tests.bench.environment import Process, Stage, free_port
from tests.bench.http import Connection, request
from tests.bench.sentences import Sentences
from tests.bench.sockets import Session, Socket

GUILDS, GUILD_MESSAGES = 1 << 0, 1 << 9


@dataclass(frozen=True)
class Size:
    """How much data a server gets."""

    members: int = 1000
    """Members of the guild that the workloads use."""
    channels: int = 10
    """Channels of that guild."""
    guilds: int = 100
    """Guilds of one user, each with one more member."""
    messages: int = 1_000_000
    """Messages of one channel."""
    places: int = 3
    """How many such guilds: one for each kind of compression."""

    def times(self, factor: int) -> Size:
        """Return this size, multiplied by a factor."""
        return Size(
            self.members * factor,
            self.channels * factor,
            self.guilds * factor,
            self.messages * factor,
            self.places,
        )


@dataclass(frozen=True)
class Place:
    """A channel that all members of its guild read and write."""

    channel: str
    tokens: list[str]
    """Tokens of the members, which are in no other guild; the first is the owner's."""


@dataclass
class Scene:
    """The data of a server: tokens for IDENTIFY, and ids."""

    places: list[Place]
    busy_token: str = ""
    """The token of a user that is in many guilds."""
    reader_token: str = ""
    long_channel: str = ""
    """The channel with the long history, in a guild of the reader."""
    deep_id: str = ""
    """The id of the message in the middle of that history."""


@dataclass(frozen=True)
class Talk:
    """A guild with many messages, for searches."""

    guild: str
    author: str
    """The id of one of many authors."""
    reader_token: str


class Adapter:
    """A server that can be measured.

    Each adapter object has its own data, which stays when an instance is killed and restarted.
    """

    name = "server"
    api = ""
    gateway = "/gateway"
    ready_path = "/health/ready"
    authorization = "{token}"
    """The Authorization header."""
    intents = GUILDS | GUILD_MESSAGES
    uses_stage_servers = False
    """Whether it uses the Postgres and Valkey of the stage, whose CPU time is then counted."""

    def start(self, stage: Stage, number: int = 0) -> Process:
        """Start an instance. Called with 0, 1, ... for as many instances as are needed."""
        raise NotImplementedError

    async def register(self, connection: Connection, name: str) -> str:
        """Register an account; return its token."""
        raise NotImplementedError

    async def furnish(self, stage: Stage, port: int, size: Size) -> Scene:
        """Create accounts, guilds and a history through the API, which takes long."""
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

    async def talk(self, stage: Stage, port: int, speech: Sentences, messages: int) -> Talk:
        """Create a guild with this many messages through the API."""
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
        """Create a guild and a channel that all members read and write; return the channel's id."""
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
        """Return a request of the API."""
        header = self.authorization.format(token=token)
        return request(method, self.api + path, token=header, body=body)

    def message(self, token: str, channel: str, content: str) -> bytes:
        """Return the request that creates a message."""
        return self.call("POST", f"/channels/{channel}/messages", token, {"content": content})

    def page(self, token: str, channel: str, before: str = "") -> bytes:
        """Return the request for fifty messages."""
        cursor = f"&before={before}" if before else ""
        return self.call("GET", f"/channels/{channel}/messages?limit=50{cursor}", token)

    async def connect(self, port: int, compress: str = "") -> Session:
        """Open a gateway connection."""
        session = Session(Socket(self.gateway, compress))
        await session.socket.open(port)
        return session


class Chatd(Adapter):
    """chatd. Its accounts and history are written to its database directly."""

    name = "chatd"
    authorization = "Bearer {token}"
    uses_stage_servers = True

    def __init__(self) -> None:
        self.secret = secrets.token_hex(32)
        self._database = f"chatd_{secrets.token_hex(4)}"
        self.program = ["-m", "tests.bench.large_limits", "chatd", "serve"]
        """The arguments of Python."""
        self.sources: Path | None = None
        """The folder of another chatd, instead of the one that these programs belong to."""

    def database_url(self, stage: Stage) -> str:
        """Return the URL of its database."""
        return stage.postgres.url_of(self._database)

    def start(self, stage: Stage, number: int = 0) -> Process:
        """Start an instance on the database of this adapter."""
        url = stage.postgres.create(self._database)
        if self.sources is None:
            migrations.apply(url)
        port = free_port()
        environment = {
            "DATABASE_URL": url,
            "REDIS_URL": stage.valkey.url,
            "JWT_SECRET": self.secret,
            "API_PORT": str(port),
            "GATEWAY_PORT": str(port),
            "WORKER_ID": str(number),
            "RATE_LIMITS": "on",
            "RAID_JOINS": "0",
            "SESSIONS_PER_USER": "0",
            "SOCKETS_PER_ADDRESS": "0",
            "CONNECTIONS_PER_ADDRESS": "0",
            "HEARTBEAT_INTERVAL": "600000",
        }
        if self.sources is not None:
            environment["PYTHONPATH"] = os.pathsep.join([str(self.sources), *sys.path])
            subprocess.run(
                [sys.executable, "-m", "chatd", "migrate"],
                cwd=stage.folder,
                env={**os.environ, **environment},
                check=True,
                stdout=DEVNULL,
            )
        command = [sys.executable, *self.program]
        return stage.start(f"{self.name} {number}", command, port=port, environment=environment)

    async def furnish(self, stage: Stage, port: int, size: Size) -> Scene:
        """Write the data to the database. Takes seconds."""
        filled = await asyncio.to_thread(
            seeding.fill,
            self.database_url(stage),
            places=size.places,
            members=size.members,
            channels=size.channels,
            guilds=size.guilds,
            messages=size.messages,
        )
        tokens = AccessTokens(self.secret, lifetime_s=86_400)
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

    async def talk(self, stage: Stage, port: int, speech: Sentences, messages: int) -> Talk:
        """Write the messages to the database. Takes seconds."""
        texts = speech.messages(messages)
        guild_id, members = await asyncio.to_thread(
            seeding.talk, self.database_url(stage), texts, messages
        )
        tokens = AccessTokens(self.secret, lifetime_s=86_400)
        return Talk(str(guild_id), str(members[1][0]), tokens.issue(*members[0]))


def named(place: str) -> Adapter:
    """Return an adapter of the class at `file.py:Class`."""
    path, _, name = place.partition(":")
    spec = importlib.util.spec_from_file_location(Path(path).stem, path)
    assert spec is not None and spec.loader is not None, f"{path} is no Python file"
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    adapter = getattr(module, name)()
    assert isinstance(adapter, Adapter), f"{place} is no Adapter"
    return adapter

"""People, their guilds and their clients on a real server: what most tests are written with."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from websockets.asyncio.client import connect

from chatd.context.dependencies import Dependencies
from chatd.core.intents import ALL_INTENTS, Intents
from chatd.db.pool import Database
from tests.helpers.gateway_client import TIMEOUT_S, Client, Dispatched
from tests.helpers.rest_client import Answer, Rest
from tests.helpers.row_copies import Batch, Originals, RowCopies, is_plain

__all__ = [
    "PASSWORD",
    "TIMEOUT_S",
    "WITHOUT_PRESENCES",
    "Answer",
    "Channel",
    "Client",
    "Dispatched",
    "Guild",
    "Pair",
    "Person",
    "Rest",
    "World",
    "befriend",
    "like",
    "world_on",
]

PASSWORD = "Password123!"
WITHOUT_PRESENCES = int(ALL_INTENTS & ~Intents.GUILD_PRESENCES)

_serial = itertools.count()

COPIES: dict[str, RowCopies] = {}
"""What creates people and guilds without requests, by the URL of the server."""


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
class Person:
    """An account, its tokens, and a caller of the API for it."""

    id: str
    name: str
    email: str
    token: str
    refresh_token: str
    rest: Rest


async def befriend(person: Person, *others: Person) -> None:
    """Make a person a friend of each of the others, so that they need no guild in common."""
    for other in others:
        await person.rest.put(f"/users/@me/relationships/{other.id}", {})
        await other.rest.put(f"/users/@me/relationships/{person.id}")


@dataclass(frozen=True)
class Channel:
    id: str
    name: str


@dataclass
class Guild:
    """A guild; its methods call the API as its owner."""

    id: str
    owner: Person
    channels: list[Channel] = field(default_factory=list)

    @property
    def general(self) -> Channel:
        return self.channels[0]

    async def channel(self, name: str, **options: Any) -> Channel:
        """Create a channel."""
        made = await self.owner.rest.post(f"/guilds/{self.id}/channels", {"name": name, **options})
        channel = Channel(made["id"], made["name"])
        self.channels.append(channel)
        return channel

    async def invite(self, **terms: Any) -> str:
        """Create an invite; return its code."""
        path = f"/channels/{self.general.id}/invites"
        made = await self.owner.rest.post(path, {"unique": True, **terms})
        return str(made["code"])

    async def admit(self, *people: Person) -> None:
        """Make people members, by an invite."""
        code = await self.invite()
        for person in people:
            await person.rest.post(f"/invites/{code}")


@dataclass(frozen=True)
class Pair:
    """Two of everything: a change of one must not change the other."""

    guilds: list[Guild]
    """Alice owns both, Bob and Carol are members of both, Mallory is banned from both."""
    groups: list[str]
    """The ids of group channels of Bob, Alice and Carol."""
    dms: list[str]
    """The ids of Bob's private channels with Alice and with Carol."""
    invites: list[str]
    """Codes of invites of the first guild."""


class _People(dict[str, Person]):
    """People by name, which worlds on several instances may share."""

    were_connected = False
    """Whether one of them may have a session, which must receive all events."""


class World:
    """People by their names in the test, and their clients, on one server."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        url: str,
        gateway_url: str,
        copies: RowCopies | None = None,
    ) -> None:
        self.http = http
        self.url = url
        self.gateway_url = gateway_url
        self._copies = copies
        self.shelf: dict[str, Guild] = {}
        """Guilds that a test with many examples creates once."""
        self._people = _People()
        self._clients = AsyncExitStack()

    @property
    def anonymous(self) -> Rest:
        """A caller of the API without a token."""
        return Rest(self.http, self.url)

    async def person(self, name: str) -> Person:
        """Return the account of this name; the first call registers it.

        Its username is unique on the server, so that tests do not see each other's accounts.
        """
        [person] = await self.people(name)
        return person

    async def people(self, *names: str) -> list[Person]:
        """Return the accounts of these names."""
        missing = [name for name in dict.fromkeys(names) if name not in self._people]
        if self._copies is not None and missing and all(map(is_plain, missing)):
            batch = self._copies.begin()
            for name in missing:
                self._copy(batch, name)
            await batch.insert()
        else:
            for name in missing:
                await self._register(name)
        return [self._people[name] for name in names]

    def _copy(self, batch: Batch, name: str) -> Person:
        """Return the account of this name; add it to the batch if there is none."""
        if name not in self._people:
            username = _unique(name)
            copy = batch.account(username)
            self._add(name, username, copy.id, copy.access_token, copy.refresh_token)
        return self._people[name]

    async def _register(self, name: str) -> None:
        username = _unique(name)
        body = {"username": username, "email": _email(username), "password": PASSWORD}
        made = await self.anonymous.post("/auth/register", body)
        self._add(name, username, made["user"]["id"], made["access_token"], made["refresh_token"])

    def _add(self, name: str, username: str, user_id: str, token: str, refresh: str) -> None:
        rest = Rest(self.http, self.url, token)
        self._people[name] = Person(user_id, username, _email(username), token, refresh, rest)

    async def friends(self, *names: str) -> list[Person]:
        """Return the accounts of these names, the first one a friend of each of the others."""
        first, *others = found = await self.people(*names)
        await befriend(first, *others)
        return found

    async def bot(self, name: str, owner: str, *guilds: Guild) -> Person:
        """Create an application of this owner; return its bot, a member of these guilds."""
        person = await self.person(owner)
        unique = _unique(name)
        made = await person.rest.post("/applications", {"name": unique})
        token = (await person.rest.post(f"/applications/{made['id']}/bot/reset"))["token"]
        rest = Rest(self.http, self.url, token, "Bot")
        bot = self._people[name] = Person(made["id"], unique, "", token, "", rest)
        for guild in guilds:
            await guild.owner.rest.put(f"/guilds/{guild.id}/members/{bot.id}")
        return bot

    def share_people(self, other: World) -> None:
        """Use the people of a world on another instance; each world keeps its own server."""
        self._people = other._people

    def rest(self, name: str) -> Rest:
        """Return a caller of the API for a person that exists already."""
        return Rest(self.http, self.url, self._people[name].token)

    async def guild(self, owner: str, members: Iterable[str] = (), *, quiet: bool = True) -> Guild:
        """Create a guild with its general channel and these members.

        A quiet guild posts no message in that channel when a member joins.
        """
        members = list(members)
        name = f"{owner}'s guild"
        is_plain_scene = quiet and all(map(is_plain, [owner, *members]))
        if self._copies is not None and is_plain_scene and not self._people.were_connected:
            batch = self._copies.begin()
            person = self._copy(batch, owner)
            copy = batch.guild(name, person.id)
            others = [self._copy(batch, each) for each in members]
            if others:
                batch.join(copy, [each.id for each in others])
            await batch.insert()
            return Guild(copy.id, person, [Channel(copy.general_id, "general")])
        person = await self.person(owner)
        made = await person.rest.post("/guilds", {"name": name})
        guild = Guild(made["id"], person)
        if quiet:  # SUPPRESS_JOIN_NOTIFICATIONS
            await person.rest.patch(f"/guilds/{guild.id}", {"system_channel_flags": 1})
        for channel in await person.rest.get(f"/guilds/{guild.id}/channels"):
            guild.channels.append(Channel(channel["id"], channel["name"]))
        if members:
            await guild.admit(*await self.people(*members))
        return guild

    async def two_of_everything(self) -> Pair:
        """Create two guilds of Alice's, and two groups and two DMs of Bob's; see Pair."""
        guilds = [await self.guild(owner="alice", members=["bob", "carol"]) for _ in range(2)]
        alice, bob, carol, mallory = await self.people("alice", "bob", "carol", "mallory")
        for guild in guilds:
            await alice.rest.put(f"/guilds/{guild.id}/bans/{mallory.id}", {})
        both = [alice.id, carol.id]
        groups = [await bob.rest.post("/users/@me/channels", {"recipients": both}) for _ in "12"]
        dms = [await bob.rest.post("/users/@me/channels", {"recipient_id": each}) for each in both]
        for channel in (*groups, *dms):
            await bob.rest.post(f"/channels/{channel['id']}/messages", {"content": "hello"})
        invites = [await guilds[0].invite() for _ in range(2)]
        return Pair(guilds, [each["id"] for each in groups], [each["id"] for each in dms], invites)

    async def socket(self, query: str = "", **options: Any) -> Client:
        """Open a gateway connection; return it after HELLO, before IDENTIFY."""
        self._people.were_connected = True
        socket = await self._clients.enter_async_context(
            connect(
                self.gateway_url + query, compression=None, max_size=None, proxy=None, **options
            )
        )
        client = Client(socket)
        await client.next_op(10)
        return client

    async def online(self, *names: str, **identify: Any) -> list[Client]:
        """Return an identified client for each of these people, with all its guilds.

        Without `intents`, a client asks for all intents but GUILD_PRESENCES.
        """
        clients = []
        for name in names:
            client = await self.socket()
            wanted = {"intents": WITHOUT_PRESENCES, **identify}
            await client.identify((await self.person(name)).token, **wanted)
            clients.append(client)
        return clients

    async def resumed(self, name: str, before: Client) -> Client:
        """Open a connection and send RESUME for the session of another client."""
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
        """Close the connections of all clients."""
        await self._clients.aclose()


def _unique(name: str) -> str:
    return f"{name}.{next(_serial)}.{secrets.token_hex(3)}"


def _email(username: str) -> str:
    return f"{username}@example.org"


@asynccontextmanager
async def world_on(url: str, gateway_url: str) -> AsyncIterator[World]:
    """Open a world on the server at these URLs."""
    async with _opened(url, gateway_url, COPIES.get(url)) as world:
        yield world


@asynccontextmanager
async def copying(
    url: str, gateway_url: str, dependencies: Dependencies, database: Database
) -> AsyncIterator[None]:
    """Let worlds on this server create people and guilds as copies of rows."""
    async with _opened(url, gateway_url, None) as world:
        guild = await world.guild("original", ["member"])
        owner, member = await world.people("original", "member")
        [invite] = await owner.rest.get(f"/guilds/{guild.id}/invites")
    originals = Originals(
        owner_id=owner.id,
        username=owner.name,
        refresh_token=owner.refresh_token,
        guild_id=guild.id,
        guild_name="original's guild",
        general_id=guild.general.id,
        member_id=member.id,
        invite_code=invite["code"],
    )
    COPIES[url] = await RowCopies.of(originals, dependencies, database)
    try:
        yield
    finally:
        del COPIES[url]


@asynccontextmanager
async def _opened(url: str, gateway_url: str, copies: RowCopies | None) -> AsyncIterator[World]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        world = World(http, url, gateway_url, copies)
        try:
            yield world
        finally:
            await world.aclose()

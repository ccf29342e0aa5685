"""Random requests of several accounts, to compare what different clients make of them."""

from __future__ import annotations

import itertools
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from chatd.core.permissions import Permissions
from tests.world import Answer, Guild, World

PEOPLE = ("alice", "bob", "carol", "dave")
BITS = (
    0,
    int(Permissions.VIEW_CHANNEL),
    int(Permissions.VIEW_CHANNEL | Permissions.SEND_MESSAGES),
    int(Permissions.ADMINISTRATOR),
)


class Acts:
    """Random requests of accounts about guilds and each other. Many of them are forbidden."""

    def __init__(self, rng: random.Random, worlds: Sequence[World], guilds: list[Guild]) -> None:
        self._rng = rng
        self._worlds = worlds
        self._guilds = guilds
        self._serial = itertools.count()
        self._all: list[Callable[[], Awaitable[object]]] = [
            *[self._overwrite] * 5,
            *[self._role] * 3,
            *[self._assign] * 4,
            *[self._channel] * 4,
            *[self._message] * 4,
            *[self._acknowledge] * 2,
            *[self._come_and_go] * 3,
            self._guild,
            self._profile,
            self._notifications,
            self._private,
            self._relationship,
            self._new_guild,
        ]

    async def one(self) -> None:
        """Make one request."""
        await self._rng.choice(self._all)()

    def _name(self) -> str:
        return f"n{next(self._serial)}"

    async def _call(self, name: str, method: str, path: str, body: Any = None) -> Answer:
        return await self._rng.choice(self._worlds).rest(name).call(method, path, body)

    async def _id(self, name: str) -> str:
        return (await self._worlds[0].person(name)).id

    async def _listed(self, guild: Guild, what: str) -> list[dict[str, Any]]:
        """The channels or roles of a guild, at most as its first owner sees them."""
        answer = await self._call("alice", "GET", f"/guilds/{guild.id}/{what}")
        return list(answer.json) if answer.status == 200 else []

    async def _pick(self, guild: Guild, what: str) -> str:
        found = await self._listed(guild, what)
        return str(self._rng.choice(found)["id"]) if found else "1"

    async def _overwrite(self) -> None:
        guild, who = self._rng.choice(self._guilds), self._rng.choice(("alice", "bob"))
        channel = await self._pick(guild, "channels")
        kind = self._rng.randrange(2)
        target = (
            await self._id(self._rng.choice(PEOPLE))
            if kind
            else self._rng.choice([guild.id, await self._pick(guild, "roles")])
        )
        path = f"/channels/{channel}/permissions/{target}"
        if self._rng.random() < 0.3:
            await self._call(who, "DELETE", path)
            return
        bits = {self._rng.choice(("allow", "deny")): str(int(Permissions.VIEW_CHANNEL))}
        await self._call(who, "PUT", path, {"type": kind, **bits})

    async def _role(self) -> None:
        guild, who = self._rng.choice(self._guilds), self._rng.choice(("alice", "bob"))
        path = f"/guilds/{guild.id}/roles"
        body = {"name": self._name(), "permissions": str(self._rng.choice(BITS))}
        role = await self._pick(guild, "roles")
        match self._rng.randrange(5):
            case 0 | 1:
                await self._call(who, "POST", path, body)
            case 2:
                await self._call(who, "PATCH", f"{path}/{role}", body)
            case 3:
                await self._call(who, "DELETE", f"{path}/{role}")
            case _:
                await self._call(who, "PATCH", path, [{"id": role, "position": 1}])

    async def _assign(self) -> None:
        guild, who = self._rng.choice(self._guilds), self._rng.choice(("alice", "bob"))
        role = await self._pick(guild, "roles")
        whom = await self._id(self._rng.choice(PEOPLE))
        path = f"/guilds/{guild.id}/members/{whom}"
        match self._rng.randrange(5):
            case 0 | 1:
                await self._call(who, "PUT", f"{path}/roles/{role}")
            case 2:
                await self._call(who, "DELETE", f"{path}/roles/{role}")
            case 3:
                await self._call(who, "PATCH", path, {"nick": self._name()})
            case _:
                await self._call(who, "PATCH", path, {"roles": [role]})

    async def _channel(self) -> None:
        guild, who = self._rng.choice(self._guilds), self._rng.choice(("alice", "bob"))
        path = f"/guilds/{guild.id}/channels"
        channel = await self._pick(guild, "channels")
        listed = await self._listed(guild, "channels")
        categories = [None, *(each["id"] for each in listed if each["type"] == 4)]
        parent = self._rng.choice(categories)
        name = self._name()
        match self._rng.randrange(7):
            case 0:
                await self._call(who, "POST", path, {"name": name, "type": 4})
            case 1:
                await self._call(who, "POST", path, {"name": name, "parent_id": parent})
            case 2 | 3:
                move = {"id": channel, "parent_id": parent, "lock_permissions": True}
                await self._call(who, "PATCH", path, [move])
            case 4:
                await self._call(who, "PATCH", f"/channels/{channel}", {"topic": name})
            case 5:
                denied = {"id": guild.id, "type": 0, "deny": str(BITS[1])}
                body = {"permission_overwrites": self._rng.choice(([], [denied]))}
                await self._call(who, "PATCH", f"/channels/{channel}", body)
            case _:
                await self._call(who, "DELETE", f"/channels/{channel}")

    async def _message(self) -> None:
        guild, who = self._rng.choice(self._guilds), self._rng.choice(PEOPLE)
        channel = await self._pick(guild, "channels")
        await self._call(who, "POST", f"/channels/{channel}/messages", {"content": self._name()})

    async def _acknowledge(self) -> None:
        guild, who = self._rng.choice(self._guilds), self._rng.choice(PEOPLE)
        channels = [each for each in await self._listed(guild, "channels") if each["type"] != 4]
        if channels:
            channel = self._rng.choice(channels)
            path = f"/channels/{channel['id']}/messages/{channel['last_message_id'] or 1}/ack"
            await self._call(who, "POST", path, {"token": None})

    async def _notifications(self) -> None:
        guild, who = self._rng.choice(self._guilds), self._rng.choice(PEOPLE)
        body = {"muted": self._rng.random() < 0.5, "suppress_everyone": self._rng.random() < 0.5}
        await self._call(who, "PATCH", f"/users/@me/guilds/{guild.id}/settings", body)

    async def _come_and_go(self) -> None:
        guild, whom = self._rng.choice(self._guilds), self._rng.choice(PEOPLE)
        user_id = await self._id(whom)
        match self._rng.randrange(5):
            case 0:
                await self._call("alice", "DELETE", f"/guilds/{guild.id}/members/{user_id}")
            case 1:
                await self._call(whom, "DELETE", f"/users/@me/guilds/{guild.id}")
            case 2:
                await self._call("alice", "PUT", f"/guilds/{guild.id}/bans/{user_id}", {})
                await self._call("alice", "DELETE", f"/guilds/{guild.id}/bans/{user_id}")
        channel = await self._pick(guild, "channels")
        made = await self._call("alice", "POST", f"/channels/{channel}/invites", {})
        if made.status == 200:
            await self._call(whom, "POST", f"/invites/{made.json['code']}")

    async def _guild(self) -> None:
        guild = self._rng.choice(self._guilds)
        body: dict[str, Any] = {"name": self._name()}
        if self._rng.random() < 0.3:
            new, old = self._rng.sample(("alice", "bob"), 2)
            body = {"owner_id": await self._id(new)}
            await self._call(old, "PATCH", f"/guilds/{guild.id}", body)
        else:
            await self._call("alice", "PATCH", f"/guilds/{guild.id}", body)

    async def _profile(self) -> None:
        who = self._rng.choice(PEOPLE)
        await self._call(who, "PATCH", "/users/@me", {"global_name": self._name()})

    async def _private(self) -> None:
        who, *others = self._rng.sample(PEOPLE, 3)
        ids = [await self._id(each) for each in others]
        listed = (await self._call(who, "GET", "/users/@me/channels")).json
        channel = self._rng.choice(listed)["id"] if listed else "1"
        match self._rng.randrange(7):
            case 0 | 1:
                await self._call(who, "POST", "/users/@me/channels", {"recipient_id": ids[0]})
            case 2:
                await self._call(who, "POST", "/users/@me/channels", {"recipients": ids})
            case 3:
                await self._call(who, "DELETE", f"/channels/{channel}")
            case 4:
                body = {"content": self._name()}
                await self._call(who, "POST", f"/channels/{channel}/messages", body)
            case 5:
                await self._call(who, "PUT", f"/channels/{channel}/recipients/{ids[0]}")
            case _:
                await self._call(who, "PATCH", f"/channels/{channel}", {"name": self._name()})

    async def _relationship(self) -> None:
        who, whom = self._rng.sample(PEOPLE, 2)
        path = f"/users/@me/relationships/{await self._id(whom)}"
        match self._rng.randrange(6):
            case 0:
                await self._call(who, "PUT", path, {"type": 2})
            case 1:
                await self._call(who, "DELETE", path)
            case 2:
                await self._call(who, "PATCH", path, {"nickname": self._name()})
            case _:
                await self._call(who, "PUT", path, {})

    async def _new_guild(self) -> None:
        who = self._rng.choice(PEOPLE)
        made = await self._call(who, "POST", "/guilds", {"name": self._name()})
        guild_id = made.json["id"]
        channels = await self._call(who, "GET", f"/guilds/{guild_id}/channels")
        await self._call(who, "DELETE", f"/channels/{channels.json[0]['id']}")
        if self._rng.random() < 0.5:
            await self._call(who, "DELETE", f"/guilds/{guild_id}")

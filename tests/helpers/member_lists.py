"""A client of a person that shows a member list."""

from __future__ import annotations

import asyncio
from typing import Any

from chatd.core.permissions import Permissions
from tests.world import TIMEOUT_S, Client, Guild, World

Json = dict[str, Any]

VIEW = str(Permissions.VIEW_CHANNEL.value)


class Shown:
    """The rows that a client of Discord shows of one list."""

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self.groups: list[tuple[str, int]] = []

    def apply(self, update: Json) -> None:
        """Apply an update as Discord's client does."""
        self.groups = [(each["id"], each["count"]) for each in update["groups"]]
        for op in update["ops"]:
            last = op["range"][1] if "range" in op else op["index"]
            self.rows += [None] * (last + 1 - len(self.rows))
            match op["op"]:
                case "SYNC":
                    start = op["range"][0]
                    self.rows[start : start + len(op["items"])] = op["items"]
                case "INVALIDATE":
                    start, end = op["range"]
                    self.rows[start : end + 1] = [None] * (end + 1 - start)
                case "INSERT":
                    self.rows.insert(op["index"], op["item"])
                case "DELETE":
                    del self.rows[op["index"]]
                case "UPDATE":
                    self.rows[op["index"]] = op["item"]

    def names(self) -> list[str]:
        """Return the groups, and the members' ids with their statuses, of all rows."""
        return [_text(each) for each in self.rows if each is not None]


def _text(row: Json) -> str:
    if "group" in row:
        return f"# {row['group']['id']}"
    member = row["member"]
    return f"{member['user']['id']} {member['nick']} {member['presence']['status']}"


def subscription(guild: Guild, channel: str, *ranges: tuple[int, int]) -> Json:
    """Return the data of a subscription to windows of a channel's list."""
    return {"guild_id": guild.id, "typing": True, "channels": {channel: list(map(list, ranges))}}


async def request(client: Client, guild: Guild, *ranges: tuple[int, int]) -> Json:
    """Request windows of the list of the guild's first channel; return the answer."""
    await client.send(14, subscription(guild, guild.general.id, *(ranges or [(0, 99)])))
    return await answer(client)


async def answer(client: Client) -> Json:
    """Return the next update with whole windows; drop those of changes, like a presence."""
    while True:
        update = dict((await client.next("GUILD_MEMBER_LIST_UPDATE")).d)
        if any(op["op"] == "SYNC" for op in update["ops"]):
            return update


async def until(client: Client, shown: Shown, expected: list[str]) -> None:
    """Apply updates until the client shows these rows."""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            while shown.names() != expected:
                shown.apply((await client.next("GUILD_MEMBER_LIST_UPDATE")).d)
    except TimeoutError:
        assert shown.names() == expected


async def role(guild: Guild, name: str, **options: Any) -> str:
    """Create a role; return its id."""
    made = await guild.owner.rest.post(f"/guilds/{guild.id}/roles", {"name": name, **options})
    return str(made["id"])


async def ids(world: World, *names: str) -> list[str]:
    """Return the ids of people."""
    return [(await world.person(name)).id for name in names]


async def invalidated(client: Client) -> list[int]:
    """Wait for an INVALIDATE; return its range."""
    while True:
        for op in (await client.next("GUILD_MEMBER_LIST_UPDATE")).d["ops"]:
            if op["op"] == "INVALIDATE":
                return list(op["range"])

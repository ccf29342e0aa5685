"""A channel opens and closes for a member while others write in it.

The guild's owner receives all events, in the order of the stream. The member must receive exactly
those between an opening and a closing: on every instance, live, in a replay and after a handoff.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

import pytest

from tests.helpers.fleet import Fleet
from tests.helpers.roles import assign_roles, create_role
from tests.world import Client, Dispatched, Guild, Person, World

VIEW = str(1 << 10)
DENY = {"type": 0, "deny": VIEW}
ALLOW = {"type": 0, "allow": VIEW}
TURNS = 12


@dataclass
class Stage:
    """A guild with a channel that opens and closes for bob."""

    guild: Guild
    bob: Person
    channel: str
    switch: Callable[[bool], Awaitable[object]] = field(init=False)
    """Opens or closes the channel."""
    opens: Callable[[Dispatched], bool | None] = field(init=False)
    """Whether this event opens or closes the channel; None for neither."""

    async def talk(self, stop: asyncio.Event) -> None:
        """Write in the channel until `stop` is set."""
        number = 0
        while not stop.is_set():
            number += 1
            path = f"/channels/{self.channel}/messages"
            answer = await self.guild.owner.rest.call("POST", path, {"content": f"{number}"})
            if answer.status == 503:  # permissions changed during each attempt
                continue
            sent = answer.json
            if number % 3 == 0:
                await self.guild.owner.rest.patch(f"{path}/{sent['id']}", {"content": "edited"})
            if number % 5 == 0:
                await self.guild.owner.rest.delete(f"{path}/{sent['id']}")


async def by_overwrite(world: World, stage: Stage) -> None:
    rest, path = stage.guild.owner.rest, f"/channels/{stage.channel}/permissions/{stage.bob.id}"

    async def switch(is_open: bool) -> None:
        await rest.put(path, {"type": 1, "allow" if is_open else "deny": VIEW})

    def opens(event: Dispatched) -> bool | None:
        if event.t != "CHANNEL_UPDATE" or event.d["id"] != stage.channel:
            return None
        return any(each["allow"] == VIEW for each in event.d["permission_overwrites"])

    stage.switch, stage.opens = switch, opens


async def by_role(world: World, stage: Stage) -> None:
    rest = stage.guild.owner.rest
    await rest.put(f"/channels/{stage.channel}/permissions/{stage.guild.id}", DENY)
    role = await create_role(stage.guild, "staff")
    await rest.put(f"/channels/{stage.channel}/permissions/{role}", ALLOW)
    await assign_roles(world, stage.guild, "bob", role)
    path = f"/guilds/{stage.guild.id}/members/{stage.bob.id}/roles/{role}"

    async def switch(is_open: bool) -> None:
        await (rest.put if is_open else rest.delete)(path)

    def opens(event: Dispatched) -> bool | None:
        return role in event.d["roles"] if event.t == "GUILD_MEMBER_UPDATE" else None

    stage.switch, stage.opens = switch, opens


async def by_what_a_role_may(world: World, stage: Stage) -> None:
    rest = stage.guild.owner.rest
    role = await create_role(stage.guild, "admins", 8)
    await assign_roles(world, stage.guild, "bob", role)
    await rest.put(f"/channels/{stage.channel}/permissions/{stage.guild.id}", DENY)

    async def switch(is_open: bool) -> None:
        body = {"permissions": "8" if is_open else "0"}
        await rest.patch(f"/guilds/{stage.guild.id}/roles/{role}", body)

    def opens(event: Dispatched) -> bool | None:
        if event.t != "GUILD_ROLE_UPDATE" or event.d["role"]["id"] != role:
            return None
        return bool(event.d["role"]["permissions"] == "8")

    stage.switch, stage.opens = switch, opens


async def by_category(world: World, stage: Stage) -> None:
    rest, path = stage.guild.owner.rest, f"/guilds/{stage.guild.id}/channels"
    public = await rest.post(path, {"name": "public", "type": 4})
    closed = {"id": stage.guild.id, **DENY}
    staff = await rest.post(path, {"name": "x", "type": 4, "permission_overwrites": [closed]})

    async def switch(is_open: bool) -> None:
        parent = public["id"] if is_open else staff["id"]
        move = {"id": stage.channel, "parent_id": parent, "lock_permissions": True}
        await rest.patch(path, [move])

    def opens(event: Dispatched) -> bool | None:
        if event.t != "CHANNEL_UPDATE" or event.d["id"] != stage.channel:
            return None
        return bool(event.d["parent_id"] == public["id"])

    await switch(True)
    stage.switch, stage.opens = switch, opens


async def by_membership(world: World, stage: Stage) -> None:
    async def switch(is_open: bool) -> None:
        if is_open:
            await stage.guild.admit(stage.bob)
        else:
            path = f"/guilds/{stage.guild.id}/members/{stage.bob.id}"
            await stage.guild.owner.rest.delete(path)

    def opens(event: Dispatched) -> bool | None:
        return {"GUILD_MEMBER_ADD": True, "GUILD_MEMBER_REMOVE": False}.get(event.t)

    stage.switch, stage.opens = switch, opens


ABOUT = ("MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE")
SEEN = {
    "CHANNEL_CREATE": True,
    "CHANNEL_DELETE": False,
    "GUILD_CREATE": True,
    "GUILD_DELETE": False,
}
Received = list[tuple[str, str]]


def expected(events: Iterable[Dispatched], stage: Stage) -> Received:
    """Return what bob should receive, by what the owner received."""
    found, is_open = [], True
    for event in events:
        now = stage.opens(event)
        if now is not None and now != is_open:
            is_open = now
            found.append(("switch", str(now)))
        elif is_open and event.t in ABOUT:
            found.append((event.t, event.d["id"]))
    return found


def of_bob(events: Iterable[Dispatched]) -> Received:
    """Return what bob received, in the same form."""
    found = []
    for event in events:
        if event.t in SEEN:
            found.append(("switch", str(SEEN[event.t])))
        elif event.t in ABOUT:
            found.append((event.t, event.d["id"]))
    return found


@pytest.mark.parametrize(
    "way", [by_overwrite, by_role, by_what_a_role_may, by_category, by_membership]
)
async def test_received_messages_are_those_between_opening_and_closing(
    world: World, fleet: Fleet, way: Callable[[World, Stage], Awaitable[None]]
) -> None:
    other, leaving = await fleet.start(24), await fleet.start(25)
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    channel = await guild.channel("staff")
    stage = Stage(guild, await world.person("bob"), channel.id)
    await way(world, stage)
    [alice] = await world.online("alice")
    clients = {
        "here": (await world.online("bob"))[0],
        "there": (await other.online("bob"))[0],
        "cut": (await world.online("bob"))[0],
        "cut there": (await other.online("bob"))[0],
        "handed off": (await leaving.online("bob"))[0],
        "handed off to an instance with a feed": (await leaving.online("bob"))[0],
    }
    stop = asyncio.Event()
    talking = [asyncio.create_task(stage.talk(stop)) for _ in range(2)]
    received: dict[str, list[Dispatched]] = {name: [] for name in clients}

    async def lose(name: str) -> None:
        await clients[name].cut()
        received[name] += clients[name].all_received()

    for turn in range(TURNS):
        if turn == 3:
            await lose("cut")
            await lose("cut there")
        if turn == 5 and way is not by_membership:  # a replay cannot have the GUILD_CREATE
            leavers = ("handed off", "handed off to an instance with a feed")
            await fleet.stop(25, *(clients[name] for name in leavers))
            for name in leavers:
                received[name] += clients[name].all_received()
        await stage.switch(turn % 2 == 1)
    await stage.switch(False)
    stop.set()
    await asyncio.gather(*talking)
    clients["cut"] = await world.resumed("bob", clients["cut"])
    clients["cut there"] = await other.resumed("bob", clients["cut there"])
    if way is not by_membership:
        clients["handed off"] = await world.resumed("bob", clients["handed off"])
        name = "handed off to an instance with a feed"
        clients[name] = await other.resumed("bob", clients[name])
    # All clients receive this message, after all other events.
    await stage.switch(True)
    path = f"/channels/{channel.id}/messages"
    last = (await guild.owner.rest.post(path, {"content": "the end"}))["id"]
    wanted = expected(await until_message(alice, last), stage)
    assert len(wanted) > TURNS
    for name, client in clients.items():
        received[name] += await until_message(client, last)
        assert of_bob(received[name]) == wanted, name


async def until_message(client: Client, message_id: str) -> list[Dispatched]:
    """Return what a client receives up to this message."""
    found: list[Dispatched] = []
    while not (found and found[-1].t == "MESSAGE_CREATE" and found[-1].d["id"] == message_id):
        found.append(await client.next_any())
    return found

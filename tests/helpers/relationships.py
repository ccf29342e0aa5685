"""What tests of friends, blocks and direct messages share."""

from __future__ import annotations

from typing import Any

from tests.world import Answer, Person, World, befriend

PATH = "/users/@me/relationships"
FRIEND, BLOCKED, INCOMING, OUTGOING = 1, 2, 3, 4
NO_REQUESTS = {"all": False, "mutual_friends": False, "mutual_guilds": False}
"""Values of `friend_source_flags`."""


async def request(person: Person, other: Person) -> Answer:
    """Send a friend request, or accept one."""
    return await person.rest.call("PUT", f"{PATH}/{other.id}", {})


async def block(person: Person, other: Person) -> None:
    await person.rest.put(f"{PATH}/{other.id}", {"type": 2})


async def kinds(person: Person) -> dict[str, int]:
    """Return the relationships of a person."""
    return {each["id"]: each["type"] for each in await person.rest.get(PATH)}


async def open_dm(person: Person, other: Person) -> Answer:
    return await person.rest.call("POST", "/users/@me/channels", {"recipient_id": other.id})


async def open_group(person: Person, *others: Person) -> Answer:
    body = {"recipients": [other.id for other in others]}
    return await person.rest.call("POST", "/users/@me/channels", body)


async def write(person: Person, channel_id: str) -> Answer:
    return await person.rest.call("POST", f"/channels/{channel_id}/messages", {"content": "hi"})


def names(received: list[Any]) -> list[str]:
    return [event.t for event in received]


def is_refused(answer: Answer, code: int = 50007, status: int = 403) -> bool:
    return (answer.status, answer.code) == (status, code)


async def friend_of(world: World, person: Person) -> Person:
    other = await world.person(f"pal{person.id[-5:]}")
    await befriend(person, other)
    return other

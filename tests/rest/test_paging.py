"""Lists page correctly while rows come and go: what was there all the time comes exactly once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest

from tests.world import Guild, Person, World

Row = dict[str, Any]
Step = Callable[[], Awaitable[object]]

PAGE = 3


@dataclass
class Story:
    """A list, how it is turned over, and what happens to it between two pages."""

    path: str
    key: Callable[[Row], str]
    """What a row is called."""
    cursor: str = "after"
    at: Callable[[Row], str] | None = None
    """What the cursor takes of the row where a page ends, if that is not its key."""
    backwards: bool = False
    """Whether that is the first row of a page and not its last."""
    rows: Callable[[Any], list[Row]] = list
    """The rows of an answer."""
    first: str = ""
    """The cursor of the first page."""
    kept: list[str] = field(default_factory=list)
    """What stays, in the order in which it is to be seen."""
    changes: list[Step] = field(default_factory=list)


def _user_id(row: Row) -> str:
    return str(row["user"]["id"])


def _id(row: Row) -> str:
    return str(row["id"])


async def _said(guild: Guild, count: int) -> list[str]:
    path = f"/channels/{guild.general.id}/messages"
    return [(await guild.owner.rest.post(path, {"content": str(n)}))["id"] for n in range(count)]


async def _people(world: World, count: int) -> list[Person]:
    return [await world.person(f"p{n}") for n in range(count)]


def _change(story: Story, add: Step, remove: Step) -> None:
    story.changes += [add, remove]


async def messages(world: World, guild: Guild) -> Story:
    path, rest = f"/channels/{guild.general.id}/messages", guild.owner.rest
    story = Story(path, _id, "before")
    ids = await _said(guild, 12)
    for doomed in ids[::3]:
        _change(
            story,
            lambda: rest.post(path, {"content": "new"}),
            partial(rest.delete, f"{path}/{doomed}"),
        )
    story.kept = [each for each in ids if each not in ids[::3]][::-1]
    return story


async def messages_upwards(world: World, guild: Guild) -> Story:
    story = await messages(world, guild)
    story.cursor, story.first, story.backwards = "after", "&after=0", True
    story.kept.reverse()
    return story


async def pins(world: World, guild: Guild) -> Story:
    rest, base = guild.owner.rest, f"/channels/{guild.general.id}/messages"
    await rest.patch(f"/guilds/{guild.id}", {"system_channel_flags": 1})
    ids = await _said(guild, 16)
    for each in ids[:12]:
        await rest.put(f"{base}/pins/{each}")
    story = Story(
        f"{base}/pins",
        lambda row: str(row["message"]["id"]),
        "before",
        at=lambda row: quote(row["pinned_at"]),
        rows=lambda page: list(page["items"]),
    )
    for late, doomed in zip(ids[12:], ids[:12:3], strict=True):
        _change(
            story,
            partial(rest.put, f"{base}/pins/{late}"),
            partial(rest.delete, f"{base}/pins/{doomed}"),
        )
    story.kept = [each for each in ids[:12] if each not in ids[:12:3]][::-1]
    return story


async def audit_log(world: World, guild: Guild) -> Story:
    rest = guild.owner.rest
    for number in range(9):
        await rest.post(f"/guilds/{guild.id}/roles", {"name": str(number)})
    path = f"/guilds/{guild.id}/audit-logs"
    there = (await rest.get(path))["audit_log_entries"]
    story = Story(
        path,
        _id,
        "before",
        rows=lambda page: list(page["audit_log_entries"]),
        kept=[*map(_id, there)],
    )
    for _ in range(3):
        story.changes.append(lambda: rest.post(f"/guilds/{guild.id}/roles", {"name": "new"}))
    return story


async def audit_log_upwards(world: World, guild: Guild) -> Story:
    story = await audit_log(world, guild)
    story.cursor, story.first = "after", "&after=0"
    story.kept.reverse()
    return story


async def members(world: World, guild: Guild) -> Story:
    people = await _people(world, 12)
    await guild.admit(*people[:9])
    story = Story(f"/guilds/{guild.id}/members", _user_id)
    for late, doomed in zip(people[9:], people[:9:3], strict=True):
        _change(
            story,
            partial(guild.admit, late),
            partial(doomed.rest.delete, f"/users/@me/guilds/{guild.id}"),
        )
    story.kept = [each.id for each in people[:9] if each not in people[:9:3]]
    return story


async def bans(world: World, guild: Guild) -> Story:
    people, rest = await _people(world, 12), guild.owner.rest
    base = f"/guilds/{guild.id}/bans"
    for person in people[:9]:
        await rest.put(f"{base}/{person.id}", {})
    story = Story(base, _user_id)
    for late, doomed in zip(people[9:], people[:9:3], strict=True):
        _change(
            story,
            partial(rest.put, f"{base}/{late.id}", {}),
            partial(rest.delete, f"{base}/{doomed.id}"),
        )
    story.kept = [each.id for each in people[:9] if each not in people[:9:3]]
    return story


async def bans_downwards(world: World, guild: Guild) -> Story:
    story = await bans(world, guild)
    story.cursor, story.first, story.backwards = "before", f"&before={2**63 - 1}", True
    story.kept.reverse()
    return story


async def reactions(world: World, guild: Guild) -> Story:
    people = await _people(world, 12)
    await guild.admit(*people)
    path = f"/channels/{guild.general.id}/messages"
    sent = await guild.owner.rest.post(path, {"content": "x"})
    base = f"{path}/{sent['id']}/reactions/{quote('👍')}"
    for person in people[:9]:
        await person.rest.put(f"{base}/@me")
    story = Story(base, _id)
    for late, doomed in zip(people[9:], people[:9:3], strict=True):
        _change(
            story,
            partial(late.rest.put, f"{base}/@me"),
            partial(doomed.rest.delete, f"{base}/@me"),
        )
    story.kept = [each.id for each in people[:9] if each not in people[:9:3]]
    return story


async def guilds(world: World, guild: Guild) -> Story:
    rest = guild.owner.rest
    made = [(await rest.post("/guilds", {"name": f"g{n}"}))["id"] for n in range(9)]
    story = Story("/users/@me/guilds", _id)
    for doomed in made[::3]:
        _change(
            story,
            lambda: rest.post("/guilds", {"name": "new"}),
            partial(rest.delete, f"/guilds/{doomed}"),
        )
    story.kept = [guild.id, *(each for each in made if each not in made[::3])]
    return story


@pytest.mark.parametrize(
    "tell",
    [
        messages,
        messages_upwards,
        pins,
        audit_log,
        audit_log_upwards,
        members,
        bans,
        bans_downwards,
        reactions,
        guilds,
    ],
)
async def test_what_stays_is_listed_once(
    world: World, tell: Callable[[World, Guild], Awaitable[Story]]
) -> None:
    guild = await world.guild(owner="alice")
    story = await tell(world, guild)
    to_come = len(story.changes)
    seen: list[str] = []
    cursor = story.first
    while page := story.rows(await guild.owner.rest.get(f"{story.path}?limit={PAGE}{cursor}")):
        assert len(page) <= PAGE
        if story.backwards:
            page.reverse()
        seen += map(story.key, page)
        at = story.at or story.key
        cursor = f"&{story.cursor}={at(page[-1])}"
        if story.changes:
            await story.changes.pop(0)()
    assert to_come - len(story.changes) >= 3
    assert len(seen) == len(set(seen))
    assert [each for each in seen if each in story.kept] == story.kept


async def test_a_reply_against_the_deletion_of_what_it_answers(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    path, rest = f"/channels/{guild.general.id}/messages", guild.owner.rest
    for _ in range(10):
        question = await rest.post(path, {"content": "?"})
        reply = {"content": "!", "message_reference": {"message_id": question["id"]}}
        _, answer = await asyncio.gather(
            rest.delete(f"{path}/{question['id']}"),
            world.rest("bob").call("POST", path, reply),
        )
        newest = await rest.get(f"{path}?limit=1")
        if answer.status == 200:
            assert newest[0]["id"] == answer.json["id"]
            assert newest[0]["referenced_message"] is None
        else:
            assert (answer.status, answer.code) == (400, 50035)
            assert not newest or newest[0]["id"] != question["id"]

"""Pagination while rows are added and deleted: unchanged rows are listed exactly once."""

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
class Scenario:
    """A list, its cursor, and the changes between two pages."""

    path: str
    key: Callable[[Row], str]
    """The id of a row."""
    cursor: str = "after"
    at: Callable[[Row], str] | None = None
    """The cursor value of the row at the end of a page, if it is not the key."""
    backwards: bool = False
    """Whether that row is the first of a page instead of the last."""
    rows: Callable[[Any], list[Row]] = list
    """The rows of a response."""
    first: str = ""
    """The cursor of the first page."""
    kept: list[str] = field(default_factory=list)
    """The unchanged rows, in the expected order."""
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


def _change(scenario: Scenario, add: Step, remove: Step) -> None:
    scenario.changes += [add, remove]


async def messages(world: World, guild: Guild) -> Scenario:
    path, rest = f"/channels/{guild.general.id}/messages", guild.owner.rest
    scenario = Scenario(path, _id, "before")
    ids = await _said(guild, 12)
    for deleted in ids[::3]:
        _change(
            scenario,
            lambda: rest.post(path, {"content": "new"}),
            partial(rest.delete, f"{path}/{deleted}"),
        )
    scenario.kept = [each for each in ids if each not in ids[::3]][::-1]
    return scenario


async def messages_upwards(world: World, guild: Guild) -> Scenario:
    scenario = await messages(world, guild)
    scenario.cursor, scenario.first, scenario.backwards = "after", "&after=0", True
    scenario.kept.reverse()
    return scenario


async def pins(world: World, guild: Guild) -> Scenario:
    rest, base = guild.owner.rest, f"/channels/{guild.general.id}/messages"
    await rest.patch(f"/guilds/{guild.id}", {"system_channel_flags": 1})
    ids = await _said(guild, 16)
    for each in ids[:12]:
        await rest.put(f"{base}/pins/{each}")
    scenario = Scenario(
        f"{base}/pins",
        lambda row: str(row["message"]["id"]),
        "before",
        at=lambda row: quote(row["pinned_at"]),
        rows=lambda page: list(page["items"]),
    )
    for late, deleted in zip(ids[12:], ids[:12:3], strict=True):
        _change(
            scenario,
            partial(rest.put, f"{base}/pins/{late}"),
            partial(rest.delete, f"{base}/pins/{deleted}"),
        )
    scenario.kept = [each for each in ids[:12] if each not in ids[:12:3]][::-1]
    return scenario


async def audit_log(world: World, guild: Guild) -> Scenario:
    rest = guild.owner.rest
    for number in range(9):
        await rest.post(f"/guilds/{guild.id}/roles", {"name": str(number)})
    path = f"/guilds/{guild.id}/audit-logs"
    there = (await rest.get(path))["audit_log_entries"]
    scenario = Scenario(
        path,
        _id,
        "before",
        rows=lambda page: list(page["audit_log_entries"]),
        kept=[*map(_id, there)],
    )
    for _ in range(3):
        scenario.changes.append(lambda: rest.post(f"/guilds/{guild.id}/roles", {"name": "new"}))
    return scenario


async def audit_log_upwards(world: World, guild: Guild) -> Scenario:
    scenario = await audit_log(world, guild)
    scenario.cursor, scenario.first = "after", "&after=0"
    scenario.kept.reverse()
    return scenario


async def members(world: World, guild: Guild) -> Scenario:
    people = await _people(world, 12)
    await guild.admit(*people[:9])
    scenario = Scenario(f"/guilds/{guild.id}/members", _user_id)
    for late, deleted in zip(people[9:], people[:9:3], strict=True):
        _change(
            scenario,
            partial(guild.admit, late),
            partial(deleted.rest.delete, f"/users/@me/guilds/{guild.id}"),
        )
    scenario.kept = [each.id for each in people[:9] if each not in people[:9:3]]
    return scenario


async def bans(world: World, guild: Guild) -> Scenario:
    people, rest = await _people(world, 12), guild.owner.rest
    base = f"/guilds/{guild.id}/bans"
    for person in people[:9]:
        await rest.put(f"{base}/{person.id}", {})
    scenario = Scenario(base, _user_id)
    for late, deleted in zip(people[9:], people[:9:3], strict=True):
        _change(
            scenario,
            partial(rest.put, f"{base}/{late.id}", {}),
            partial(rest.delete, f"{base}/{deleted.id}"),
        )
    scenario.kept = [each.id for each in people[:9] if each not in people[:9:3]]
    return scenario


async def bans_downwards(world: World, guild: Guild) -> Scenario:
    scenario = await bans(world, guild)
    scenario.cursor, scenario.first, scenario.backwards = "before", f"&before={2**63 - 1}", True
    scenario.kept.reverse()
    return scenario


async def reactions(world: World, guild: Guild) -> Scenario:
    people = await _people(world, 12)
    await guild.admit(*people)
    path = f"/channels/{guild.general.id}/messages"
    sent = await guild.owner.rest.post(path, {"content": "x"})
    base = f"{path}/{sent['id']}/reactions/{quote('👍')}"
    for person in people[:9]:
        await person.rest.put(f"{base}/@me")
    scenario = Scenario(base, _id)
    for late, deleted in zip(people[9:], people[:9:3], strict=True):
        _change(
            scenario,
            partial(late.rest.put, f"{base}/@me"),
            partial(deleted.rest.delete, f"{base}/@me"),
        )
    scenario.kept = [each.id for each in people[:9] if each not in people[:9:3]]
    return scenario


async def guilds(world: World, guild: Guild) -> Scenario:
    rest = guild.owner.rest
    made = [(await rest.post("/guilds", {"name": f"g{n}"}))["id"] for n in range(9)]
    scenario = Scenario("/users/@me/guilds", _id)
    for deleted in made[::3]:
        _change(
            scenario,
            lambda: rest.post("/guilds", {"name": "new"}),
            partial(rest.delete, f"/guilds/{deleted}"),
        )
    scenario.kept = [guild.id, *(each for each in made if each not in made[::3])]
    return scenario


@pytest.mark.parametrize(
    "build",
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
async def test_unchanged_rows_are_listed_exactly_once(
    world: World, build: Callable[[World, Guild], Awaitable[Scenario]]
) -> None:
    guild = await world.guild(owner="alice")
    scenario = await build(world, guild)
    to_come = len(scenario.changes)
    seen: list[str] = []
    cursor = scenario.first
    while page := scenario.rows(
        await guild.owner.rest.get(f"{scenario.path}?limit={PAGE}{cursor}")
    ):
        assert len(page) <= PAGE
        if scenario.backwards:
            page.reverse()
        seen += map(scenario.key, page)
        at = scenario.at or scenario.key
        cursor = f"&{scenario.cursor}={at(page[-1])}"
        if scenario.changes:
            await scenario.changes.pop(0)()
    assert to_come - len(scenario.changes) >= 3
    assert len(seen) == len(set(seen))
    assert [each for each in seen if each in scenario.kept] == scenario.kept


async def test_reply_races_with_deletion_of_its_reference(world: World) -> None:
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

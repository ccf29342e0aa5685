"""Lists page correctly while rows come and go: what was there all the time comes exactly once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from urllib.parse import quote

import pytest

from tests.world import Guild, Person, World

Step = Callable[[], Awaitable[object]]

PAGE = 3


class Story:
    """A list, what its rows are called, and what happens to it between two pages."""

    def __init__(self, path: str, key: Callable[[dict[str, object]], str], *, back: bool) -> None:
        self.path = path
        self.key = key
        self.cursor = "before" if back else "after"
        self.kept: list[str] = []
        self.changes: list[Step] = []


def _user_id(row: dict[str, object]) -> str:
    user = row["user"]
    assert isinstance(user, dict)
    return str(user["id"])


def _id(row: dict[str, object]) -> str:
    return str(row["id"])


async def _people(world: World, count: int) -> list[Person]:
    return [await world.person(f"p{n}") for n in range(count)]


def _change(story: Story, add: Step, remove: Step) -> None:
    story.changes += [add, remove]


async def messages(world: World, guild: Guild) -> Story:
    path, rest = f"/channels/{guild.general.id}/messages", guild.owner.rest
    story = Story(path, _id, back=True)
    ids = [(await rest.post(path, {"content": str(n)}))["id"] for n in range(12)]
    for doomed in ids[::3]:
        _change(
            story,
            lambda: rest.post(path, {"content": "new"}),
            partial(rest.delete, f"{path}/{doomed}"),
        )
    story.kept = [each for each in ids if each not in ids[::3]]
    return story


async def members(world: World, guild: Guild) -> Story:
    people = await _people(world, 12)
    await guild.admit(*people[:9])
    story = Story(f"/guilds/{guild.id}/members", _user_id, back=False)
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
    story = Story(base, _user_id, back=False)
    for late, doomed in zip(people[9:], people[:9:3], strict=True):
        _change(
            story,
            partial(rest.put, f"{base}/{late.id}", {}),
            partial(rest.delete, f"{base}/{doomed.id}"),
        )
    story.kept = [each.id for each in people[:9] if each not in people[:9:3]]
    return story


async def reactions(world: World, guild: Guild) -> Story:
    people = await _people(world, 12)
    await guild.admit(*people)
    path = f"/channels/{guild.general.id}/messages"
    sent = await guild.owner.rest.post(path, {"content": "x"})
    base = f"{path}/{sent['id']}/reactions/{quote('👍')}"
    for person in people[:9]:
        await person.rest.put(f"{base}/@me")
    story = Story(base, _id, back=False)
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
    story = Story("/users/@me/guilds", _id, back=False)
    for doomed in made[::3]:
        _change(
            story,
            lambda: rest.post("/guilds", {"name": "new"}),
            partial(rest.delete, f"/guilds/{doomed}"),
        )
    story.kept = [guild.id, *(each for each in made if each not in made[::3])]
    return story


@pytest.mark.parametrize("tell", [messages, members, bans, reactions, guilds])
async def test_what_stays_is_listed_once(
    world: World, tell: Callable[[World, Guild], Awaitable[Story]]
) -> None:
    guild = await world.guild(owner="alice")
    story = await tell(world, guild)
    seen: list[str] = []
    cursor = ""
    while page := await guild.owner.rest.get(f"{story.path}?limit={PAGE}{cursor}"):
        assert len(page) <= PAGE
        seen += [story.key(row) for row in page]
        cursor = f"&{story.cursor}={seen[-1]}"
        if story.changes:
            await story.changes.pop(0)()
    assert len(seen) == len(set(seen))
    assert [each for each in seen if each in story.kept] == sorted(
        story.kept, key=int, reverse=story.cursor == "before"
    )


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

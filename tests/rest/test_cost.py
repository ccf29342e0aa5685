"""What the hot routes cost: statements, each of which is a round trip to Postgres."""

from __future__ import annotations

import asyncio

import pytest

from chatd.db import Cursor
from chatd.queries import logins
from tests.world import World

_OTHERS = ("janitor", "indexer", "gap watch", "worker id")


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that are run, but for those of tasks of the server's own, for who a token
    belongs to, which is looked up every two seconds however many requests there are, and for what
    a connection does once."""
    seen: list[str] = []
    execute = Cursor.execute

    async def counted(self: Cursor, query: str, *args: object, **options: object) -> None:
        task = asyncio.current_task()
        is_request = task is None or task.get_name() not in _OTHERS
        is_counted = query != logins._USE.execute and not query.startswith("PREPARE")
        if is_request and is_counted:
            seen.append(" ".join(query.split())[:60])
        await execute(self, query, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Cursor, "execute", counted)
    return seen


async def test_statements_of_the_hot_routes(world: World, statements: list[str]) -> None:
    seen = statements
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    [client] = await world.online("bob")
    path = f"/channels/{guild.general.id}/messages"
    sent = await bob.rest.post(path, {"content": "what he may do is remembered from here on"})

    mention = {"content": f"<@{bob.id}>"}
    for count, method, url, body in (
        (1, "POST", path, {"content": "x"}),
        (1, "GET", f"{path}?limit=50", None),
        (2, "GET", f"{path}/{sent['id']}", None),
        (1, "POST", f"/channels/{guild.general.id}/typing", None),
        (3, "POST", path, mention),
    ):
        before = len(seen)
        answer = await bob.rest.call(method, url, body)
        assert answer.status < 300, answer.raw
        assert len(seen) - before == count, seen[before:]
    before = len(seen)
    await client.heard_before_fence()
    await client.cut()
    again = await world.resumed("bob", client)
    await again.next("RESUMED")
    assert len(seen) == before, seen[before:]  # resuming reads nothing


async def test_a_thousand_overwrites_are_written_at_once(
    world: World, statements: list[str]
) -> None:
    guild = await world.guild(owner="alice")
    alice = world.rest("alice")
    path = f"/guilds/{guild.id}/channels"
    denied = [
        [{"id": str(number), "type": 1, "deny": "2048"} for number in range(first, first + 1000)]
        for first in (1_000, 1_500)
    ]
    before = len(statements)
    closed, other = [
        await alice.post(path, {"name": "c", "type": 4, "permission_overwrites": each})
        for each in denied
    ]
    general = guild.general.id
    for category in (closed, other):
        move = {"id": general, "parent_id": category["id"], "lock_permissions": True}
        await alice.patch(path, [move] * 100)
        kept = (await alice.get(f"/channels/{general}"))["permission_overwrites"]
        assert kept == category["permission_overwrites"]
    assert len(statements) - before < 60

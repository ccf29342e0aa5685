"""Recent mentions: the messages of the last week that mention a user."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chatd.db.pool import Database
from chatd.services.maintenance import janitor
from chatd.services.messages import recent_mentions
from tests.conftest import Server
from tests.world import Person, World, befriend

PATH = "/users/@me/mentions"


async def send(person: Person, channel: str, content: str, **more: Any) -> str:
    sent = await person.rest.post(f"/channels/{channel}/messages", {"content": content, **more})
    return str(sent["id"])


async def listed(person: Person, query: str = "") -> list[str]:
    return [each["id"] for each in await person.rest.get(PATH + query)]


async def test_mentions_of_all_channels_are_listed_newest_first(world: World) -> None:
    guilds = [await world.guild("alice", ["bob"]) for _ in range(2)]
    alice, bob = await world.people("alice", "bob")
    await befriend(alice, bob)
    private = (await alice.rest.post("/users/@me/channels", {"recipient_id": bob.id}))["id"]
    role = (await alice.rest.post(f"/guilds/{guilds[1].id}/roles", {"name": "r"}))["id"]
    await alice.rest.put(f"/guilds/{guilds[1].id}/members/{bob.id}/roles/{role}")
    direct = await send(alice, guilds[0].general.id, f"<@{bob.id}>")
    await send(alice, guilds[0].general.id, "nothing")
    everyone = await send(alice, guilds[0].general.id, "@everyone")
    by_role = await send(alice, guilds[1].general.id, f"<@&{role}>")
    in_private = await send(alice, private, f"<@{bob.id}>")
    await send(bob, private, f"<@{bob.id}>")  # his own
    every = [in_private, by_role, everyone, direct]
    assert await listed(bob) == every
    assert await listed(bob, "?limit=2") == every[:2]
    assert await listed(bob, f"?limit=2&before={by_role}") == every[2:]
    assert await listed(bob, "?roles=false") == [in_private, everyone, direct]
    assert await listed(bob, "?everyone=false&roles=false") == [in_private, direct]
    assert await listed(bob, f"?guild_id={guilds[0].id}") == [everyone, direct]
    assert await listed(alice) == []
    [message] = await bob.rest.get(f"{PATH}?limit=1")
    assert message == await bob.rest.get(f"/channels/{private}/messages/{in_private}")


async def test_only_what_the_user_may_read_is_listed(world: World) -> None:
    guild = await world.guild("alice")
    alice, bob, carol = await world.people("alice", "bob", "carol")
    await send(alice, guild.general.id, "@everyone")  # before he joined
    await guild.admit(bob, carol)
    hidden, silent = [(await guild.channel(name)).id for name in ("hidden", "silent")]
    for channel in (guild.general.id, hidden, silent):
        await send(alice, channel, f"<@{bob.id}>")
    theirs = await send(carol, guild.general.id, f"<@{bob.id}>")
    assert len(await listed(bob)) == 4
    for channel, deny in ((hidden, "1024"), (silent, "65536")):
        body = {"type": 0, "deny": deny}
        await alice.rest.put(f"/channels/{channel}/permissions/{guild.id}", body)
    assert len(await listed(bob)) == 2
    await bob.rest.put(f"/users/@me/relationships/{carol.id}", {"type": 2})
    assert theirs not in await listed(bob)
    await bob.rest.delete(f"/users/@me/guilds/{guild.id}")
    assert await listed(bob) == []
    answer = await bob.rest.call("GET", f"{PATH}?guild_id={guild.id}")
    assert (answer.status, answer.code) == (403, 50001)
    assert (await bob.rest.call("GET", f"{PATH}?guild_id=1")).code == 10004


async def test_old_mentions_are_not_listed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    guild = await world.guild("alice", ["bob"])
    alice, bob = await world.people("alice", "bob")
    await send(alice, guild.general.id, f"<@{bob.id}>")
    monkeypatch.setattr(recent_mentions, "LIFETIME", timedelta(days=-1))
    assert await listed(bob) == []


async def test_removed_mentions_are_not_listed_again(world: World) -> None:
    guild = await world.guild("alice", ["bob", "carol"])
    alice, bob = await world.people("alice", "bob")
    first, second = [await send(alice, guild.general.id, "@everyone") for _ in range(2)]
    phone, laptop, other = await world.online("bob", "bob", "carol")
    await bob.rest.delete(f"{PATH}/{first}")
    await bob.rest.delete(f"{PATH}/{first}")
    for client in (phone, laptop):
        assert (await client.next("RECENT_MENTION_DELETE")).d == {"message_id": first}
    assert await phone.received_before_fence() == []
    assert await other.received_before_fence() == []
    assert await listed(bob) == [second]
    assert await listed(await world.person("carol")) == [second, first]
    await bob.rest.delete(f"{PATH}/1")  # long ago: it is not listed anyway


async def test_removed_mentions_are_bounded_and_expire(
    world: World, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent_mentions, "MAX_REMOVED", 2)
    guild = await world.guild("alice", ["bob"])
    alice, bob = await world.people("alice", "bob")
    sent = [await send(alice, guild.general.id, f"<@{bob.id}>") for _ in range(3)]
    for message in sent:
        await bob.rest.delete(f"{PATH}/{message}")
    assert await listed(bob) == sent[:1]
    monkeypatch.setattr(recent_mentions, "LIFETIME", timedelta(days=-1))
    database = Database(server.config.database_url, size=1)
    await database.open()
    try:
        await janitor.delete_expired(database, janitor._expired_removed_mentions)
    finally:
        await database.close()
    monkeypatch.undo()
    assert await listed(bob) == sent[::-1]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "before=x", "guild_id=x", "roles=maybe"])
async def test_invalid_query_is_refused(world: World, query: str) -> None:
    alice = await world.person("alice")
    answer = await alice.rest.call("GET", f"{PATH}?{query}")
    assert (answer.status, answer.code) == (400, 50035)

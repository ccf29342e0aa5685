"""The cost of hot routes, in statements: each is a round trip to Postgres."""

from __future__ import annotations

import secrets

import psycopg2

from tests.conftest import Server
from tests.world import World


async def test_number_of_statements_of_hot_routes(world: World, statements: list[str]) -> None:
    seen = statements
    guild = await world.guild(owner="alice", members=["bob"])
    other = await guild.channel("other")
    bob = await world.person("bob")
    [client] = await world.online("bob")
    path = f"/channels/{guild.general.id}/messages"
    sent = await bob.rest.post(path, {"content": "what he may do is remembered from here on"})

    # In the other channel his access follows from his here, and from that of alice there.
    await world.rest("alice").post(f"/channels/{other.id}/messages", {"content": "hello"})

    mention = {"content": f"<@{bob.id}>"}
    for count, method, url, body in (
        (1, "POST", path, {"content": "x"}),
        (1, "GET", f"{path}?limit=50", None),
        (1, "GET", f"/channels/{other.id}/messages", None),
        (2, "GET", f"{path}/{sent['id']}", None),
        (1, "POST", f"/channels/{guild.general.id}/typing", None),
        (1, "POST", f"{path}/{sent['id']}/ack", None),
        (1, "PUT", f"{path}/{sent['id']}/reactions/%F0%9F%91%8D/@me", None),
        (3, "POST", path, mention),
    ):
        before = len(seen)
        answer = await bob.rest.call(method, url, body)
        assert answer.status < 300, answer.raw
        assert len(seen) - before == count, seen[before:]
    reply = {"content": f"<@{bob.id}>", "message_reference": {"message_id": sent["id"]}}
    await bob.rest.post(path, reply)
    await bob.rest.put(f"{path}/{sent['id']}/reactions/👍/@me")
    before = len(seen)
    [answer, *_, first] = await bob.rest.get(f"{path}?limit=50")
    assert len(seen) - before == 1, seen[before:]
    assert answer["referenced_message"]["id"] == first["id"] == sent["id"]
    assert answer["mentions"][0]["id"] == bob.id
    assert first["reactions"][0]["me"]
    before = len(seen)
    await client.received_before_fence()
    await client.cut()
    again = await world.resumed("bob", client)
    await again.next("RESUMED")
    # Resuming asks whether the login is valid, and for what may have been missed.
    assert len(seen) == before + 1, seen[before:]


def many_users(server: Server, count: int) -> list[str]:
    """Create `count` accounts; returns their ids."""
    first = secrets.randbelow(2**40)
    with psycopg2.connect(server.config.database_url) as connection, connection.cursor() as cur:
        cur.execute(
            "INSERT INTO users (id, username, username_key, email, email_key, password_hash)"
            " SELECT n, name, name, name, name, ''"
            " FROM generate_series(%s, %s) AS n, concat('u', n) AS name",
            (first, first + count - 1),
        )
    connection.close()
    return [str(first + number) for number in range(count)]


async def test_thousand_overwrites_need_few_statements(
    world: World, server: Server, statements: list[str]
) -> None:
    guild = await world.guild(owner="alice")
    alice = world.rest("alice")
    users = many_users(server, 1500)
    path = f"/guilds/{guild.id}/channels"
    denied = [
        [{"id": user, "type": 1, "deny": "2048"} for user in users[first : first + 1000]]
        for first in (0, 500)
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

"""Pending deletions: the change commits first, and the rows are deleted in batches."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from chatd.core.errors import ServiceUnavailable
from chatd.core.ids import GuildId, UserId
from chatd.core.permissions import Permissions
from chatd.db.pool import Database
from chatd.queries import messages, retention
from chatd.queries import pending_deletions as queries
from chatd.services.guilds import pruning
from chatd.services.maintenance import pending_deletions
from chatd.services.messages import reactions
from chatd.web.keys import DEPENDENCIES
from tests.conftest import Server
from tests.helpers.members import backdate_members, member_ids
from tests.helpers.pending_deletions import Sweep, count, rows
from tests.helpers.roles import assign_roles, create_role
from tests.rest.searching import say
from tests.world import TIMEOUT_S, Client, Guild, World, like


async def deleted(client: Client, ids: set[str], *, at_most: int) -> None:
    """Wait until a client has received the deletion of these messages, batch by batch."""
    left = set(ids)
    while left:
        batch = (await client.next("MESSAGE_DELETE_BULK")).d["ids"]
        assert len(batch) <= at_most
        assert left >= set(batch)
        left -= set(batch)


async def contents(guild: Guild, channel: Any) -> list[str]:
    found = await guild.owner.rest.get(f"/channels/{channel.id}/messages?limit=100")
    return [message["content"] for message in found][::-1]


@pytest.mark.parametrize("body", [{"delete_message_seconds": 600}, {"delete_message_days": 1}])
async def test_ban_deletes_messages_in_batches(
    world: World, monkeypatch: pytest.MonkeyPatch, body: dict[str, int]
) -> None:
    monkeypatch.setattr(pending_deletions, "BATCH_MESSAGES", 2)
    monkeypatch.setattr(pending_deletions, "_MAX_READ", 3)
    monkeypatch.setattr(pending_deletions, "REQUEST_TIME_S", -1.0)
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    other = await world.guild(owner="dave", members=["bob"])
    bob, carol = await world.people("bob", "carol")
    hidden = await guild.channel("hidden")
    mine, theirs, neighbours = set(), [], []
    for number in range(5):
        mine |= {*await say(bob.rest, guild.general, f"bob {number}", f"bob again {number}")}
        theirs += await say(carol.rest, guild.general, f"carol {number}")
        neighbours += await say(bob.rest, other.general, f"bob {number}")
    secret = {*await say(bob.rest, hidden, "secret 1", "secret 2", "secret 3")}
    await guild.owner.rest.put(
        f"/channels/{hidden.id}/permissions/{carol.id}",
        {"type": 1, "deny": str(int(Permissions.VIEW_CHANNEL))},
    )
    alice_client, carol_client = await world.online("alice", "carol")
    await guild.owner.rest.put(f"/guilds/{guild.id}/bans/{bob.id}", body)
    await deleted(alice_client, mine | secret, at_most=2)
    await deleted(carol_client, mine, at_most=2)
    assert not [each for each in await carol_client.received_before_fence() if "DELETE" in each.t]
    assert await contents(guild, guild.general) == [f"carol {number}" for number in range(5)]
    assert await contents(guild, hidden) == []
    assert len(await contents(other, other.general)) == 5


async def test_ban_without_delete_seconds_deletes_nothing(world: World, database: Database) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    await say(bob.rest, guild.general, "stays")
    path = f"/guilds/{guild.id}/bans/{bob.id}"
    for body in ({}, {"delete_message_seconds": 0, "delete_message_days": 7}):
        await guild.owner.rest.put(path, body)
        assert await contents(guild, guild.general) == ["stays"]
    for wrong in (-1, 8, "1"):
        answer = await guild.owner.rest.call("PUT", path, {"delete_message_days": wrong})
        assert answer.json["errors"].keys() == {"delete_message_days"}


async def test_ban_persists_if_the_deletion_fails(
    world: World, server: Server, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pending_deletions, "HEAD_START_S", 0.0)
    monkeypatch.setattr(pending_deletions, "_LEASE_S", 0.0)
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    await say(bob.rest, guild.general, "one", "two")
    real, tried = messages.delete_many, 0

    async def fails(*_: object) -> list[Any]:
        nonlocal tried
        tried += 1
        raise ServiceUnavailable

    monkeypatch.setattr(messages, "delete_many", fails)
    path = f"/guilds/{guild.id}/bans/{bob.id}"
    await guild.owner.rest.put(path, {"delete_message_seconds": 600})
    assert tried == 1
    assert await guild.owner.rest.get(path) == like(user=like(id=bob.id))
    assert await contents(guild, guild.general) == ["one", "two"]
    monkeypatch.setattr(messages, "delete_many", real)
    await say(guild.owner.rest, guild.general, "three")
    await guild.owner.rest.delete(path)
    await guild.admit(bob)
    await say(bob.rest, guild.general, "written afterwards")
    await sweep()
    assert await contents(guild, guild.general) == ["three", "written afterwards"]


async def test_batch_of_two_instances_is_deleted_and_published_once(
    world: World, server: Server, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two instances run one deletion, because the lease of the first has expired."""
    monkeypatch.setattr(pending_deletions, "BATCH_MESSAGES", 2)
    dependencies = server.runner.app[DEPENDENCIES]
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    ids = {*await say(bob.rest, guild.general, *(f"m{number}" for number in range(9)))}
    [client] = await world.online("alice")
    async with dependencies.begin() as work:
        await work.lock(int(guild.id))
        deletion = await pending_deletions.add_messages(
            work.cur, GuildId(int(guild.id)), [UserId(int(bob.id))], since=int(min(ids, key=int))
        )
    both = [pending_deletions.work_on(dependencies, deletion) for _ in range(2)]
    await asyncio.gather(*both)
    await sweep()
    await deleted(client, ids, at_most=2)
    assert await contents(guild, guild.general) == []


async def test_instance_that_lost_its_lease_does_not_end_a_deletion(
    world: World, server: Server, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It believes that the steps which the other instance has taken over are done."""
    monkeypatch.setattr(pending_deletions, "BATCH_MESSAGES", 2)
    dependencies = server.runner.app[DEPENDENCIES]
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    ids = await say(bob.rest, guild.general, *(f"m{number}" for number in range(6)))
    async with dependencies.begin() as work:
        await work.lock(int(guild.id))
        deletion = await pending_deletions.add_messages(
            work.cur, GuildId(int(guild.id)), [UserId(int(bob.id))], since=int(min(ids, key=int))
        )
    # The other instance, and its first step.
    async with dependencies.database.cursor() as cur:
        await cur.execute(
            """
            UPDATE pending_deletions SET details = details || '{"after": 1}' WHERE id = %(id)s
            """,
            {"id": deletion.id},
        )
    await pending_deletions.work_on(dependencies, deletion)
    assert len(await contents(guild, guild.general)) == len(ids)  # they are the other's to delete
    async with dependencies.database.cursor() as cur:
        await cur.execute("UPDATE pending_deletions SET due_at = now()")
    await sweep()
    assert await contents(guild, guild.general) == []


async def test_bulk_ban_deletes_in_batches(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatd.services.guilds.bans._BATCH_USERS", 2)
    names = [f"p{number}" for number in range(5)]
    guild = await world.guild(owner="alice", members=names)
    people = await world.people(*names)
    for person in people:
        await say(person.rest, guild.general, "x")
    await say(guild.owner.rest, guild.general, "y")
    ids = [person.id for person in people]
    found = await guild.owner.rest.post(
        f"/guilds/{guild.id}/bulk-ban",
        {"user_ids": [*ids, ids[0], guild.owner.id, "1"], "delete_message_seconds": 600},
    )
    assert set(found["banned_users"]) == set(ids)
    assert set(found["failed_users"]) == {guild.owner.id, "1"}
    assert await contents(guild, guild.general) == ["y"]
    again = {"user_ids": ids}
    answer = await guild.owner.rest.call("POST", f"/guilds/{guild.id}/bulk-ban", again)
    assert (answer.status, answer.code) == (400, 500000)


async def react(database: Database, channel_id: str, message_id: str, users: int) -> None:
    """Add a reaction of many accounts by a statement."""
    await rows(
        database,
        """
        WITH made AS (
            INSERT INTO users (id, username, username_key, email, email_key, password_hash)
            SELECT n, name, name, name, name, ''
              FROM generate_series(%(first)s, %(first)s + %(users)s - 1) AS n,
                   concat('reacts', n) AS name
            ON CONFLICT DO NOTHING
        )
        INSERT INTO reactions (channel_id, message_id, emoji, user_id)
        SELECT %(channel_id)s, %(message_id)s, '👍', n
          FROM generate_series(%(first)s, %(first)s + %(users)s - 1) AS n
        RETURNING 1
        """,
        channel_id=int(channel_id),
        message_id=int(message_id),
        first=int(message_id),
        users=users,
    )


async def test_reactions_of_deleted_messages_are_deleted(
    world: World, database: Database, sweep: Sweep
) -> None:
    guild = await world.guild(owner="alice")
    path = f"/channels/{guild.general.id}/messages"
    few, much, kept = await say(guild.owner.rest, guild.general, "few", "many", "kept")
    for message, users in ((few, 3), (much, 50), (kept, 30)):
        await react(database, guild.general.id, message, users)
    for message in (few, much):
        await guild.owner.rest.delete(f"{path}/{message}")
    assert await count(database, "reactions", message_id=int(few)) == 0
    assert await count(database, "reactions", message_id=int(much)) == 30
    await sweep()
    assert await count(database, "reactions", message_id=int(much)) == 0
    assert await count(database, "reactions", message_id=int(kept)) == 30


@pytest.mark.parametrize("emoji", ["", "/" + quote("👍")], ids=["all", "one emoji"])
async def test_clearing_many_reactions_continues_in_the_background(
    world: World,
    database: Database,
    sweep: Sweep,
    monkeypatch: pytest.MonkeyPatch,
    emoji: str,
) -> None:
    monkeypatch.setattr(reactions, "MAX_CLEARED", 10)
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    path = f"/channels/{guild.general.id}/messages"
    sent, other = await say(guild.owner.rest, guild.general, "x", "y")
    for message in (sent, other):
        await react(database, guild.general.id, message, 25)
        await guild.owner.rest.put(f"{path}/{message}/reactions/{quote('🎉')}/@me")
    for person in (guild.owner, bob):
        await person.rest.put(f"{path}/{sent}/reactions/{quote('👍')}/@me")
    [client] = await world.online("bob")
    await guild.owner.rest.delete(f"{path}/{sent}/reactions{emoji}")
    name = "MESSAGE_REACTION_REMOVE_EMOJI" if emoji else "MESSAGE_REACTION_REMOVE_ALL"
    assert (await client.next(name)).d["message_id"] == sent
    # A reaction made afterwards stays, whether or not the earlier one is deleted yet.
    await bob.rest.put(f"{path}/{sent}/reactions/{quote('👍')}/@me")
    assert (await client.next("MESSAGE_REACTION_ADD")).d["user_id"] == bob.id
    await sweep()
    left = (await bob.rest.get(f"{path}/{sent}"))["reactions"]
    shown = {each["emoji"]["name"]: (each["count"], each["me"]) for each in left}
    assert shown == {"👍": (1, True)} | ({"🎉": (1, False)} if emoji else {})
    assert await count(database, "reactions", message_id=int(other)) == 26


async def test_deletion_of_unknown_kind_is_left_for_newer_versions(
    world: World, database: Database
) -> None:
    await rows(
        database,
        "INSERT INTO pending_deletions (kind, details) VALUES ('of the future', '{}') RETURNING 1",
    )
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    await guild.owner.rest.delete(f"/guilds/{guild.id}")
    async with asyncio.timeout(TIMEOUT_S):
        while await count(database, "guild_members", user_id=int(bob.id)):
            await asyncio.sleep(0.05)
    assert await count(database, "pending_deletions", kind="of the future") == 1
    await rows(database, "DELETE FROM pending_deletions WHERE kind = 'of the future' RETURNING 1")


async def test_prune_continues_in_the_background(
    world: World, server: Server, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("_BATCH_MEMBERS", 2), ("_SCAN_MEMBERS", 3)):
        monkeypatch.setattr(pruning, name, value)
    monkeypatch.setattr(pending_deletions, "REQUEST_TIME_S", -1.0)
    names = [f"p{number}" for number in range(7)]
    guild = await world.guild(owner="alice", members=[*names, "lively"])
    other = await world.guild(owner="dave", members=names)
    people, lively = await world.people(*names), await world.person("lively")
    backdate_members(server, guild, people, days=10)
    backdate_members(server, other, people, days=10)
    answer = await guild.owner.rest.call(
        "POST", f"/guilds/{guild.id}/prune", {}, headers={"X-Audit-Log-Reason": "spring"}
    )
    assert answer.json == {"pruned": 7}
    assert len(await member_ids(guild)) == 7  # two of nine are deleted
    await sweep()
    assert await member_ids(guild) == {guild.owner.id, lively.id}
    assert len(await member_ids(other)) == 8
    log = await guild.owner.rest.get(f"/guilds/{guild.id}/audit-logs?action_type=21")
    removed = [entry["options"]["members_removed"] for entry in log["audit_log_entries"]]
    assert sum(map(int, removed)) == 7
    assert {entry["reason"] for entry in log["audit_log_entries"]} == {"spring"}


async def test_prune_stops_when_the_permission_is_lost(
    world: World, server: Server, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "_BATCH_MEMBERS", 1)
    monkeypatch.setattr(pending_deletions, "REQUEST_TIME_S", -1.0)
    guild = await world.guild(owner="alice", members=["mod", "p1", "p2", "p3"])
    bits = int(Permissions.MANAGE_GUILD | Permissions.KICK_MEMBERS)
    role = await create_role(guild, "mod", bits)
    await assign_roles(world, guild, "mod", role)
    mod, *people = await world.people("mod", "p1", "p2", "p3")
    backdate_members(server, guild, people, days=10)
    wanted = {"compute_prune_count": False}
    assert await mod.rest.post(f"/guilds/{guild.id}/prune", wanted) == {"pruned": None}
    assert len(await member_ids(guild)) == 4
    await guild.owner.rest.delete(f"/guilds/{guild.id}/roles/{role}")
    await sweep()
    assert len(await member_ids(guild)) == 4
    answer = await mod.rest.call("POST", f"/guilds/{guild.id}/prune", wanted)
    assert (answer.status, answer.code) == (403, 50013)


def test_every_kind_has_a_step() -> None:
    of_purges = {retention.PURGE, retention.OLD_AUDIT_LOGS, retention.SEARCH_SEGMENTS}
    assert (
        pending_deletions.STEPS.keys()
        == {*queries.SWEPT, queries.MESSAGES, queries.PRUNE} | of_purges
    )


@pytest.mark.expects_error_log
async def test_failed_deletion_is_not_retried_at_once(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of the table itself fails at once: a task without a pause would fill the log."""
    dependencies = replace(server.runner.app[DEPENDENCIES], deletions_added=asyncio.Event())
    waits, failed = asyncio.Event(), 0

    async def fail(of: object) -> bool:
        nonlocal failed
        if of is dependencies:
            failed += 1
            raise ZeroDivisionError
        return False

    async def wait(added: asyncio.Event) -> None:
        if added is dependencies.deletions_added:
            waits.set()
        await asyncio.sleep(TIMEOUT_S)

    monkeypatch.setattr(pending_deletions, "run_next", fail)
    monkeypatch.setattr(pending_deletions, "_wait_for_wakeup", wait)
    running = asyncio.create_task(pending_deletions.run(dependencies))
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await waits.wait()
    finally:
        running.cancel()
    assert failed == 1

"""Retention: the rule of a guild, which deletes old messages and audit log entries every day."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chatd.core.ids import ChannelId, GuildId, StreamId
from chatd.core.permissions import Permissions
from chatd.db.pool import Database
from chatd.queries import retention as queries
from chatd.queries import search_index
from chatd.queries.retention import OldMessages, PurgedChannel
from chatd.services.maintenance import janitor, retention
from chatd.web.keys import DEPENDENCIES
from tests.conftest import Server
from tests.helpers.attachments import message_form, send_form
from tests.helpers.pending_deletions import Sweep, count, rows
from tests.helpers.roles import assign_roles, create_role
from tests.rest.searching import alone, say, texts
from tests.world import Client, Guild, World

DAY = 86_400_000 << 22  # as a difference of ids


async def age(database: Database, *message_ids: str, days: int) -> list[str]:
    """Make messages older, with their files. Return their new ids."""
    ids = [int(each) for each in message_ids]
    await rows(
        database,
        """
        WITH moved AS (
            INSERT INTO messages
            SELECT (jsonb_populate_record(m, jsonb_build_object('id', id - %(by)s))).*
              FROM messages AS m WHERE id = ANY(%(ids)s)
        ), files AS (
            UPDATE attachments SET message_id = message_id - %(by)s WHERE message_id = ANY(%(ids)s)
        )
        SELECT 1
        """,
        ids=ids,
        by=days * DAY,
    )
    await rows(database, "DELETE FROM messages WHERE id = ANY(%(ids)s) RETURNING 1", ids=ids)
    return [str(each - days * DAY) for each in ids]


async def apply_rules(database: Database, sweep: Sweep) -> None:
    """Apply the rules of all guilds as if they were due."""
    await rows(database, "UPDATE guild_retentions SET due_at = now() RETURNING 1")
    await janitor.delete_expired(database, queries.begin_due)
    await sweep()


async def contents(guild: Guild) -> list[str]:
    found = await guild.owner.rest.get(f"/channels/{guild.general.id}/messages?limit=100")
    return [message["content"] for message in found][::-1]


async def deleted_by(client: Client) -> list[str]:
    return [
        message_id
        for each in await client.received_before_fence()
        if each.t == "MESSAGE_DELETE_BULK"
        for message_id in each.d["ids"]
    ]


async def test_rule_deletes_old_messages_and_their_files_except_pins(
    world: World, database: Database, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH_MESSAGES", 2)
    guild = await world.guild(owner="alice", members=["bob"])
    other = await world.guild(owner="alice")
    path = f"/channels/{guild.general.id}/messages"
    old = await say(guild.owner.rest, guild.general, *(f"old {n}" for n in range(5)))
    file = await send_form(guild.owner.rest, path, message_form({"content": "file"}, ("a", b"x")))
    [pinned] = await say(guild.owner.rest, guild.general, "pinned")
    await guild.owner.rest.put(f"/channels/{guild.general.id}/pins/{pinned}")
    elsewhere = await say(guild.owner.rest, other.general, "elsewhere")
    await say(guild.owner.rest, guild.general, "new")
    aged = await age(database, *old, file.json["id"], days=31)
    await age(database, pinned, *elsewhere, days=31)
    changed = await guild.owner.rest.patch(f"/guilds/{guild.id}", {"retention_days": 30})
    assert changed["retention_days"] == 30
    [bob] = await world.online("bob")
    await janitor.delete_expired(database, queries.begin_due)
    await sweep()
    assert len(await contents(guild)) == 9  # an hour is left to take the rule back
    await apply_rules(database, sweep)
    assert [each for each in await contents(guild) if each] == ["pinned", "new"]
    assert await contents(other) == ["elsewhere"]
    assert await deleted_by(bob) == aged
    key = f"attachments/{file.json['attachments'][0]['id']}"
    assert await count(database, "doomed_files", key=key) == 1


async def test_rule_that_was_taken_back_deletes_nothing(
    world: World, database: Database, sweep: Sweep
) -> None:
    guild = await world.guild(owner="alice")
    path = f"/guilds/{guild.id}"
    await age(database, *await say(guild.owner.rest, guild.general, "old"), days=31)
    await guild.owner.rest.patch(path, {"retention_days": 30})
    await rows(database, "UPDATE guild_retentions SET due_at = now() RETURNING 1")
    await janitor.delete_expired(database, queries.begin_due)
    await guild.owner.rest.patch(path, {"retention_days": 60})  # with the deletion pending
    await sweep()
    assert await contents(guild) == ["old"]
    await guild.owner.rest.patch(path, {"retention_days": None})
    await apply_rules(database, sweep)
    assert await contents(guild) == ["old"]
    assert await count(database, "guild_retentions", guild_id=int(guild.id)) == 0


async def test_rule_keeps_45_days_of_the_audit_log(
    world: World, database: Database, sweep: Sweep
) -> None:
    guild = await world.guild(owner="alice")
    for days in (44, 46):
        await guild.owner.rest.patch(f"/guilds/{guild.id}", {"name": f"name {days}"})
        await rows(
            database,
            """
            UPDATE audit_logs SET id = id - %(by)s
             WHERE id = (SELECT max(id) FROM audit_logs WHERE guild_id = %(guild_id)s) RETURNING 1
            """,
            by=days * DAY,
            guild_id=int(guild.id),
        )
    await guild.owner.rest.patch(f"/guilds/{guild.id}", {"retention_days": 1})
    await apply_rules(database, sweep)
    log = await guild.owner.rest.get(f"/guilds/{guild.id}/audit-logs?action_type=1")
    changes = [each["changes"][0] for each in log["audit_log_entries"]]
    assert {"key": "retention_days", "new_value": 1} in changes
    names = [each["new_value"] for each in changes if each["key"] == "name"]
    assert names == ["name 44"]


async def test_absurd_rule_is_refused(world: World) -> None:
    guild = await world.guild(owner="alice")
    for days in (0, -1, 3651, "x", 1.5, True, 2**63):
        wanted = {"retention_days": days}
        answer = await guild.owner.rest.call("PATCH", f"/guilds/{guild.id}", wanted)
        assert (answer.status, [*answer.json["errors"]]) == (400, ["retention_days"])


async def test_rule_needs_an_administrator(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    bob = await world.person("bob")
    rights = Permissions.MANAGE_GUILD | Permissions.MANAGE_MESSAGES  # no overwrite counts
    role = await create_role(guild, "manager", int(rights))
    await assign_roles(world, guild, "bob", role)
    path = f"/guilds/{guild.id}"
    for name in ("bob", "carol"):
        person = await world.person(name)
        assert (await person.rest.call("PATCH", path, {"retention_days": 1})).status == 403
    await bob.rest.patch(path, {"name": "another name", "retention_days": None})  # no change of it


async def test_purge_of_a_private_channel_reaches_its_recipients(
    world: World, server: Server
) -> None:
    alice, bob = await world.people("alice", "bob")
    await world.guild(owner="alice", members=["bob"])
    dm = await alice.rest.post("/users/@me/channels", {"recipient_id": bob.id})
    path = f"/channels/{dm['id']}/messages"
    sent = [(await alice.rest.post(path, {"content": text}))["id"] for text in "abc"]
    await alice.rest.put(f"/channels/{dm['id']}/pins/{sent[1]}")
    clients = await world.online("alice", "bob")
    dependencies = server.runner.app[DEPENDENCIES]
    channel, after = PurgedChannel(ChannelId(int(dm["id"])), None), 0
    old = OldMessages(2**63 - 1, keep_pins=False)
    while batch := await retention.delete_batch(dependencies, channel, old, after=after):
        _, after = batch
    for client in clients:
        assert set(sent) <= {*await deleted_by(client)}
    assert await alice.rest.get(path) == []


async def test_message_that_is_pinned_meanwhile_stays(
    world: World, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    guild = await world.guild(owner="alice")
    sent = await say(guild.owner.rest, guild.general, "a", "b")
    real = queries.find

    async def find_then_pin(*arguments: Any, **options: Any) -> Any:
        found = await real(*arguments, **options)
        await guild.owner.rest.put(f"/channels/{guild.general.id}/pins/{sent[0]}")
        return found

    monkeypatch.setattr(queries, "find", find_then_pin)
    place = PurgedChannel(ChannelId(int(guild.general.id)), GuildId(int(guild.id)))
    old = OldMessages(int(sent[1]) + 1, keep_pins=True)
    batch = await retention.delete_batch(server.runner.app[DEPENDENCIES], place, old, after=0)
    assert batch == (1, int(sent[1]))
    assert (await contents(guild))[0] == "a"


async def test_search_index_of_deleted_messages_is_deleted(
    world: World, database: Database, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_index, "SEGMENT_MESSAGES", 2)
    guild = await world.guild(owner="alice")
    stream_id = int(guild.id)
    old = await say(guild.owner.rest, guild.general, "first", "second", "third", "fourth")
    aged = await age(database, *old, days=31)
    await say(guild.owner.rest, guild.general, "fifth", "sixth", "seventh")

    async def extend(cur: Any) -> bool:
        return await search_index.extend(cur, StreamId(stream_id), size=2)

    await alone(database, extend)
    before = await count(database, "search_segments", stream_id=stream_id)
    assert before >= 3
    await guild.owner.rest.put(f"/channels/{guild.general.id}/pins/{aged[0]}")
    await guild.owner.rest.patch(f"/guilds/{guild.id}", {"retention_days": 30})
    await apply_rules(database, sweep)
    # The segment of the pinned message stays.
    assert await count(database, "search_segments", stream_id=stream_id) == before - 1
    left = await rows(
        database,
        """
        SELECT count(DISTINCT d.segment), count(DISTINCT p.segment)
          FROM search_documents AS d, search_postings AS p
         WHERE d.stream_id = %(id)s AND p.stream_id = %(id)s
        """,
        id=stream_id,
    )
    assert left == [(before - 1, before - 1)]
    for text, found in (("first", 1), ("third", 0), ("sixth", 1)):
        assert len(await texts(guild.owner.rest, guild, content=text)) == found


async def test_rules_of_two_instances_are_applied_once(world: World, database: Database) -> None:
    guild = await world.guild(owner="alice")
    await guild.owner.rest.patch(f"/guilds/{guild.id}", {"retention_days": 30})
    await rows(database, "UPDATE guild_retentions SET due_at = now() RETURNING 1")
    begun = [janitor.delete_expired(database, queries.begin_due) for _ in range(2)]
    await asyncio.gather(*begun)
    found = await rows(
        database,
        "SELECT kind FROM pending_deletions WHERE details ->> 'guild_id' = %(id)s ORDER BY kind",
        id=guild.id,
    )
    assert found == [("old_audit_logs",), ("purge",)]

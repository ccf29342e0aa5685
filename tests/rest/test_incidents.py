"""Paused invites and direct messages, and raids: many accounts that join in a short time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chatd.core.permissions import Permissions
from chatd.core.raids import RaidLimits
from chatd.db.pool import Database
from chatd.web.keys import DEPENDENCIES
from tests.conftest import Server
from tests.helpers.discord_py import running
from tests.helpers.pending_deletions import rows
from tests.helpers.roles import assign_roles, create_role
from tests.world import Answer, Guild, Person, World, befriend, like

PAUSED = 40006


def at(**distance: float) -> str:
    return (datetime.now(UTC) + timedelta(**distance)).isoformat()


async def pause(guild: Guild, **until: str | None) -> Any:
    return await guild.owner.rest.put(f"/guilds/{guild.id}/incident-actions", until)


async def accept(person: Person, code: str) -> Answer:
    return await person.rest.call("POST", f"/invites/{code}")


async def test_feature_pauses_invites_without_an_end(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob, carol = await world.people("bob", "carol")
    code = await guild.invite()
    path = f"/guilds/{guild.id}"
    [client] = await world.online("bob")
    changed = await guild.owner.rest.patch(path, {"features": ["INVITES_DISABLED", "NEWS"]})
    assert changed["features"] == ["NEWS", "INVITES_DISABLED"]
    assert (await client.next("GUILD_UPDATE")).d["features"] == ["NEWS", "INVITES_DISABLED"]
    shown = await carol.rest.get(f"/invites/{code}")
    assert "INVITES_DISABLED" in shown["guild"]["features"]
    refused = await accept(carol, code)
    assert (refused.status, refused.code) == (403, PAUSED)
    assert "retry_after" not in refused.json
    assert (await accept(bob, code)).status == 200  # is a member already
    await guild.owner.rest.patch(path, {"name": "unrelated"})
    assert (await accept(carol, code)).code == PAUSED
    await guild.owner.rest.patch(path, {"features": ["NEWS"]})
    assert (await accept(carol, code)).status == 200


@pytest.mark.parametrize("features", [["COMMUNITY"], "INVITES_DISABLED", [1], ["NEWS"] * 101])
async def test_other_features_are_refused(world: World, features: Any) -> None:
    guild = await world.guild(owner="alice")
    answer = await guild.owner.rest.call("PATCH", f"/guilds/{guild.id}", {"features": features})
    assert (answer.status, [*answer.json["errors"]]) == (400, ["features"])


async def test_invites_are_paused_for_a_time(world: World, database: Database) -> None:
    guild = await world.guild(owner="alice")
    carol = await world.person("carol")
    code = await guild.invite()
    until = at(hours=1)
    assert await pause(guild, invites_disabled_until=until) == like(dms_disabled_until=None)
    refused = await accept(carol, code)
    assert (refused.status, refused.code) == (403, PAUSED)
    assert 3590 < refused.json["retry_after"] <= 3600
    assert refused.headers["Retry-After"] == str(refused.json["retry_after"])
    shown = await guild.owner.rest.get(f"/guilds/{guild.id}")
    ends = datetime.fromisoformat(shown["incidents_data"]["invites_disabled_until"])
    assert ends == datetime.fromisoformat(until)
    log = await guild.owner.rest.get(f"/guilds/{guild.id}/audit-logs?action_type=1")
    assert log["audit_log_entries"][0]["changes"][0]["key"] == "incidents_data"
    await rows(
        database,
        "UPDATE guilds SET invites_disabled_until = now() WHERE id = %(id)s RETURNING 1",
        id=int(guild.id),
    )
    assert (await accept(carol, code)).status == 200


async def test_pause_is_ended_by_null_and_by_a_time_in_the_past(world: World) -> None:
    guild = await world.guild(owner="alice")
    code = await guild.invite()
    for name, end in (("carol", None), ("dave", at(hours=-1))):
        await pause(guild, invites_disabled_until=at(hours=1), dms_disabled_until=at(hours=1))
        left = await pause(guild, invites_disabled_until=end)
        assert left == like(invites_disabled_until=None)
        assert left["dms_disabled_until"] is not None
        assert (await accept(await world.person(name), code)).status == 200


async def test_absurd_pause_is_refused(world: World) -> None:
    guild = await world.guild(owner="alice")
    path = f"/guilds/{guild.id}/incident-actions"
    for until in (at(hours=25), "tomorrow", 5, "9999-12-31T23:59:59-23:00"):
        answer = await guild.owner.rest.call("PUT", path, {"dms_disabled_until": until})
        assert (answer.status, [*answer.json["errors"]]) == (400, ["dms_disabled_until"])


async def test_pause_needs_manage_guild(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    bob, carol, stranger = await world.people("bob", "carol", "stranger")
    role = await create_role(guild, "manager", int(Permissions.MANAGE_GUILD))
    await assign_roles(world, guild, "carol", role)
    path, body = f"/guilds/{guild.id}/incident-actions", {"invites_disabled_until": None}
    for person, status in ((bob, 403), (stranger, 403), (carol, 200)):
        assert (await person.rest.call("PUT", path, body)).status == status


async def test_direct_messages_because_of_the_guild_are_paused(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    bob, carol = await world.people("bob", "carol")
    dm = await bob.rest.post("/users/@me/channels", {"recipient_id": guild.owner.id})
    path = f"/channels/{dm['id']}/messages"
    await bob.rest.post(path, {"content": "before"})
    await pause(guild, dms_disabled_until=at(hours=1))
    refused = await bob.rest.call("POST", path, {"content": "during"})
    assert (refused.status, refused.code) == (403, 50007)
    await befriend(bob, carol)
    friends = await bob.rest.post("/users/@me/channels", {"recipient_id": carol.id})
    await bob.rest.post(f"/channels/{friends['id']}/messages", {"content": "to a friend"})
    await pause(guild, dms_disabled_until=None)
    await bob.rest.post(path, {"content": "after"})


@pytest.fixture
def raid_limits(server: Server) -> Iterator[RaidLimits]:
    """Let three accounts join a guild of the shared server within an hour."""
    dependencies = server.runner.app[DEPENDENCIES]
    before, limits = dependencies.raid_limits, RaidLimits(joins=3, window_s=3600, pause_s=600)
    object.__setattr__(dependencies, "raid_limits", limits)
    yield limits
    object.__setattr__(dependencies, "raid_limits", before)


async def test_raid_pauses_invites_and_is_announced(world: World, raid_limits: RaidLimits) -> None:
    guild = await world.guild(owner="alice")
    await guild.admit(await world.person("bob"))
    code = await guild.invite()
    names = [f"raider{number}" for number in range(6)]
    raiders = await world.people(*names)
    [client] = await world.online("bob")
    answers = await asyncio.gather(*(accept(each, code) for each in raiders))
    joined = [each for each in answers if each.status == 200]
    refused = [each for each in answers if each.status != 200]
    assert len(joined) == raid_limits.joins - 1  # bob has joined by an invite, too
    assert {(each.status, each.code) for each in refused} == {(403, PAUSED)}
    assert all(590 < each.json["retry_after"] <= 600 for each in refused)
    updated = (await client.next("GUILD_UPDATE")).d["incidents_data"]
    assert updated["raid_detected_at"] is not None
    messages = await guild.owner.rest.get(f"/channels/{guild.general.id}/messages")
    [alert] = [each for each in messages if each["type"] == 36]
    assert alert["content"] == updated["invites_disabled_until"]
    log = await guild.owner.rest.get(f"/guilds/{guild.id}/audit-logs?action_type=1")
    assert log["audit_log_entries"][0] == like(
        user_id=None, reason="Many accounts have joined in a short time"
    )
    await pause(guild, invites_disabled_until=None)  # a moderator ends it; counting begins again
    late = [person for person, each in zip(raiders, answers, strict=True) if each in refused]
    again = [(await accept(each, code)).status for each in late]
    assert again[: raid_limits.joins] == [200] * raid_limits.joins


async def test_joins_of_different_windows_are_no_raid(
    world: World, raid_limits: RaidLimits, database: Database
) -> None:
    guild = await world.guild(owner="alice")
    code = await guild.invite()
    for number in range(raid_limits.joins + 2):
        person = await world.person(f"guest{number}")
        assert (await accept(person, code)).status == 200
        await rows(
            database,
            "UPDATE guild_joins SET since = since - interval '1 hour' WHERE guild_id = %(id)s"
            " RETURNING 1",
            id=int(guild.id),
        )


async def test_one_account_that_joins_again_is_no_raid(
    world: World, raid_limits: RaidLimits
) -> None:
    guild = await world.guild(owner="alice")
    code = await guild.invite()
    person = await world.person("restless")
    for _ in range(raid_limits.joins + 2):
        assert (await accept(person, code)).status == 200
        await person.rest.delete(f"/users/@me/guilds/{guild.id}")


async def test_raid_of_one_guild_does_not_affect_another(
    world: World, raid_limits: RaidLimits
) -> None:
    first, second = await world.guild(owner="alice"), await world.guild(owner="alice")
    code = await first.invite()
    for number in range(raid_limits.joins + 1):
        last = await accept(await world.person(f"raider{number}"), code)
    assert last.code == PAUSED
    person = await world.person(f"raider{raid_limits.joins}")
    assert (await accept(person, await second.invite())).status == 200


async def test_discord_py_pauses_invites(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bot = await world.bot("bot", "alice", guild)
    role = await create_role(guild, "manager", int(Permissions.MANAGE_GUILD))
    await guild.owner.rest.put(f"/guilds/{guild.id}/members/{bot.id}/roles/{role}")
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=2)
    async with running(bot.token, monkeypatch, world) as client:
        there = client.get_guild(int(guild.id))
        assert there is not None
        await there.edit(invites_disabled=True)
        shown = await guild.owner.rest.get(f"/guilds/{guild.id}")
        assert "INVITES_DISABLED" in shown["features"]
        await there.edit(invites_disabled=False, invites_disabled_until=until)
        shown = await guild.owner.rest.get(f"/guilds/{guild.id}")
        assert "INVITES_DISABLED" not in shown["features"]
        fetched = await client.fetch_guild(int(guild.id))
        assert (fetched.invites_paused_until, fetched.dms_paused_until) == (until, None)

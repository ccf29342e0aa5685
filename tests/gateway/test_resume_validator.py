"""Resume validation: Postgres decides, even on events that this instance never received."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import psycopg2
import pytest

from chatd.config import Config
from chatd.core.ids import LoginId, StreamId
from chatd.db.pool import Database
from chatd.gateway.fanout import event_history
from chatd.gateway.lifecycle import restore, resume_validator
from chatd.gateway.lifecycle.resume_validator import LoginEnded, ResumeValidator
from chatd.queries import logins
from chatd.services.accounts.authentication import TokenClaims
from tests.helpers.fleet import Fleet
from tests.helpers.gateway import expect_invalid_session, replayed_messages, send_messages
from tests.helpers.session_ends import end_by_deletion, end_by_logout, end_by_password_change
from tests.world import TIMEOUT_S, Guild, Person, World

DISABLE = "UPDATE users SET disabled_at = now() WHERE id = %(user)s"
REVOKE = "UPDATE logins SET revoked_at = now() WHERE user_id = %(user)s"
MOVE_OWN = "UPDATE streams SET seq = seq + 1 WHERE id = %(user)s"
MOVE_GUILD = "UPDATE streams SET seq = seq + 1 WHERE id = %(guild)s"


@pytest.fixture(autouse=True)
def short_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait only briefly for missing events: in these tests they never arrive."""
    monkeypatch.setattr(restore, "_CATCH_UP_S", 0.3)


@pytest.mark.parametrize("end", [end_by_logout, end_by_deletion, end_by_password_change])
@pytest.mark.parametrize("followed", [True, False])
async def test_suspended_session_of_an_ended_login_is_not_resumed(
    world: World,
    fleet: Fleet,
    monkeypatch: pytest.MonkeyPatch,
    end: Callable[[World, Person], Awaitable[None]],
    followed: bool,
) -> None:
    """Other events have displaced that of the revocation from the event history."""
    there = await fleet.start(23)
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    [bob] = await there.online("bob")
    if followed:
        await world.online("carol")
    await fleet.stop(23, bob)
    await end(world, await world.person("bob"))
    monkeypatch.setattr(event_history, "MAX_BYTES", 2000)
    await send_messages(world, guild, *map(str, range(10)))
    back = await world.resumed("bob", bob)
    await expect_invalid_session(back)
    await send_messages(world, guild, "not for him")
    assert back.all_received() == []


async def test_suspended_session_of_a_removed_member_receives_nothing(
    world: World, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = await fleet.start(23)
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    other = await world.guild(owner="alice", members=["carol"])
    [bob] = await there.online("bob")
    await fleet.stop(23, bob)
    bob_id = (await world.person("bob")).id
    await guild.owner.rest.delete(f"/guilds/{guild.id}/members/{bob_id}")
    monkeypatch.setattr(event_history, "MAX_BYTES", 2000)
    await send_messages(world, other, *map(str, range(10)))
    back = await world.resumed("bob", bob)
    await expect_invalid_session(back)
    await send_messages(world, guild, "not for him")
    assert back.received("MESSAGE_CREATE") == []


@pytest.mark.parametrize("sql", [DISABLE, REVOKE])
async def test_detached_session_of_an_ended_login_is_not_resumed(
    world: World, config: Config, sql: str
) -> None:
    """The event of the revocation never reached this instance, as while Redis is unavailable."""
    guild = await world.guild(owner="alice", members=["bob"])
    [bob] = await world.online("bob")
    await bob.cut()
    await _run(config, sql, await world.person("bob"), guild)
    back = await world.resumed("bob", bob)
    await expect_invalid_session(back)
    assert back.received("RESUMED") == []


@pytest.mark.parametrize("sql", [MOVE_OWN, MOVE_GUILD])
async def test_detached_session_that_missed_an_event_is_not_resumed(
    world: World, config: Config, sql: str
) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    [bob] = await world.online("bob")
    await bob.cut()
    await _run(config, sql, await world.person("bob"), guild)
    back = await world.resumed("bob", bob)
    await expect_invalid_session(back)
    assert back.received("RESUMED") == []


async def test_resume_of_a_detached_session_waits_for_events_in_flight(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restore, "_CATCH_UP_S", 10)
    guild = await world.guild(owner="alice", members=["bob"])
    [bob] = await world.online("bob")
    await bob.cut()
    missed = await send_messages(world, guild, "one", "two")
    back = await world.resumed("bob", bob)
    assert await replayed_messages(back) == missed


async def test_resume_validations_share_statements(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    ask = logins.valid_logins_and_positions

    async def counted(*arguments: object) -> object:
        nonlocal asked
        asked += 1
        return await ask(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(logins, "valid_logins_and_positions", counted)
    database = Database(config.database_url, size=4)
    await database.open()
    validator = ResumeValidator(database)
    answers = await asyncio.gather(
        *(
            validator.validate(TokenClaims(LoginId(1), by_client_token=False), [StreamId(1)])
            for _ in range(10 * resume_validator._SESSIONS_PER_STATEMENT)
        ),
        return_exceptions=True,
    )
    assert {type(each) for each in answers} == {LoginEnded}
    assert asked <= 11
    await database.close()


async def test_resume_is_validated_that_arrives_as_the_last_batch_ends(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resume_validator, "_MAX_STATEMENTS", 1)
    database = Database(config.database_url, size=1)
    await database.open()
    validator = ResumeValidator(database)
    async with asyncio.timeout(TIMEOUT_S):
        for _ in range(3):  # each begins in the iteration of the loop in which another ends
            with pytest.raises(LoginEnded):
                await validator.validate(
                    TokenClaims(LoginId(1), by_client_token=False), [StreamId(1)]
                )
    await database.close()


async def _run(config: Config, sql: str, person: Person, guild: Guild) -> None:
    def run() -> None:
        connection = psycopg2.connect(config.database_url)
        with connection, connection.cursor() as cur:
            cur.execute(sql, {"user": int(person.id), "guild": int(guild.id)})
        connection.close()

    await asyncio.to_thread(run)

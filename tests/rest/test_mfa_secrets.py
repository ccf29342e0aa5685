"""Secrets of second factors: neither the log nor the database contains a usable one."""

from __future__ import annotations

import logging

import pytest

from chatd.web.keys import DEPENDENCIES
from tests.conftest import Server
from tests.helpers.mfa import SECRET, CodeClock, challenged, confirmed, enable_totp, log_in
from tests.world import World

DISABLE = "/users/@me/mfa/totp/disable"


async def test_codes_and_secrets_are_not_logged(
    world: World, server: Server, code_clock: CodeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    alice = await world.person("alice")
    codes = await enable_totp(alice, code_clock)
    challenge = await challenged(world.anonymous, alice)
    code = code_clock.next_code()
    await log_in(world.anonymous, challenge["ticket"], "wrong code")
    await log_in(world.anonymous, challenge["ticket"], code)
    answer = await alice.rest.call("POST", DISABLE)
    header = await confirmed(alice, answer.json["mfa"]["ticket"], "backup", codes[0])
    secrets = [SECRET, code, *codes, challenge["ticket"], answer.json["mfa"]["ticket"]]
    logged = caplog.text
    assert not [each for each in [*secrets, *header.values()] if each in logged]


async def test_database_contains_no_usable_factor(
    world: World, server: Server, code_clock: CodeClock
) -> None:
    alice = await world.person("alice")
    codes = await enable_totp(alice, code_clock)
    async with server.runner.app[DEPENDENCIES].database.cursor() as cur:
        await cur.execute(
            """
            SELECT encode(secret, 'escape') FROM totp_secrets WHERE user_id = %(id)s
             UNION ALL
            SELECT encode(code_hash, 'escape') FROM recovery_codes WHERE user_id = %(id)s
            """,
            {"id": int(alice.id)},
        )
        stored = [str(row[0]) for row in await cur.fetchall()]
    assert len(stored) == 11
    assert not [each for each in stored if any(text in each for text in (SECRET, *codes))]

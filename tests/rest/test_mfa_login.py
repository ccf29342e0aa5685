"""Logins with a second factor: one-time codes, recovery codes and passkeys."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from typing import Any

import pytest

from chatd.auth import mfa_keys
from chatd.core.ids import UserId
from chatd.services.accounts import administration
from chatd.web.keys import DEPENDENCIES
from tests.conftest import Server
from tests.helpers.authenticator import Authenticator, as_fermi_sends_it
from tests.helpers.mfa import CodeClock, add_passkey, challenged, enable_totp, log_in
from tests.helpers.tampered import tampered
from tests.world import PASSWORD, Answer, World, like


def token_of(answer: Answer) -> str:
    assert answer.status == 200, answer.raw
    return str(answer.json["access_token"])


def is_refused(answer: Answer, code: int) -> bool:
    return (answer.status, answer.json["code"]) == (400, code)


INVALID_TICKET, INVALID_CODE = 60006, 60008


async def test_login_with_one_time_code(world: World, code_clock: CodeClock) -> None:
    alice = await world.person("alice")
    await enable_totp(alice, code_clock)
    challenge = await challenged(world.anonymous, alice)
    assert challenge == like(totp=True, backup=True, sms=False, webauthn=None, user_id=alice.id)
    assert not {"token", "access_token", "refresh_token"} & challenge.keys()
    code = code_clock.next_code()
    answer = await log_in(world.anonymous, challenge["ticket"], f"{code[:3]} {code[3:]}")
    alice.rest.token = token_of(answer)
    assert (await alice.rest.get("/users/@me"))["mfa_enabled"] is True
    alice.rest.token = answer.json["token"]
    assert (await alice.rest.get("/users/@me"))["id"] == alice.id


async def test_login_without_factor_is_as_before(world: World) -> None:
    alice = await world.person("alice")
    body = {"login": alice.email, "password": PASSWORD}
    made = await world.anonymous.post("/auth/login", body)
    assert made["user"]["mfa_enabled"] is False
    assert "ticket" not in made


async def test_wrong_password_reveals_no_factor(world: World, code_clock: CodeClock) -> None:
    alice, bob = await world.people("alice", "bob")
    await enable_totp(alice, code_clock)
    answers = []
    for email in (alice.email, bob.email, "nobody@example.org"):
        body = {"login": email, "password": "not the password"}
        answers.append(await world.anonymous.call("POST", "/auth/login", body))
    assert {each.raw for each in answers} == {answers[0].raw}
    assert answers[0].status == 400


async def test_code_is_accepted_once(world: World, other: World, code_clock: CodeClock) -> None:
    alice = await world.person("alice")
    await enable_totp(alice, code_clock)
    code = code_clock.next_code()
    tickets = [(await challenged(world.anonymous, alice))["ticket"] for _ in range(4)]
    answers = await asyncio.gather(
        *(
            log_in((world if number % 2 else other).anonymous, ticket, code)
            for number, ticket in enumerate(tickets)
        )
    )
    assert sorted(each.status for each in answers) == [200, 400, 400, 400]
    assert all(is_refused(each, INVALID_CODE) for each in answers if each.status != 200)


async def test_codes_around_the_current_step_are_accepted_in_order(
    world: World, code_clock: CodeClock
) -> None:
    alice = await world.person("alice")
    await enable_totp(alice, code_clock)
    code_clock.now += 300

    async def tried(code: str) -> int:
        ticket = (await challenged(world.anonymous, alice))["ticket"]
        return (await log_in(world.anonymous, ticket, code)).status

    assert await tried(code_clock.code(-2)) == 400
    assert await tried(code_clock.code(2)) == 400
    assert await tried(code_clock.code(-1)) == 200
    assert await tried(code_clock.code(-1)) == 400
    assert await tried(code_clock.code(1)) == 200
    assert await tried(code_clock.code(0)) == 400  # older than one that was used
    assert await tried(code_clock.next_code()) == 400  # the used code of +1
    assert await tried(code_clock.next_code()) == 200


async def test_recovery_code_works_once(world: World, other: World, code_clock: CodeClock) -> None:
    alice = await world.person("alice")
    codes = await enable_totp(alice, code_clock)
    assert len(set(codes)) == 10
    assert all(re.fullmatch("[a-z0-9]{8}", each) for each in codes)
    tickets = [(await challenged(world.anonymous, alice))["ticket"] for _ in range(4)]
    shown = f"{codes[0][:4]}-{codes[0][4:]}".upper()
    answers = await asyncio.gather(
        *(
            log_in((world if number % 2 else other).anonymous, ticket, shown)
            for number, ticket in enumerate(tickets)
        )
    )
    assert sorted(each.status for each in answers) == [200, 400, 400, 400]
    ticket = (await challenged(world.anonymous, alice))["ticket"]
    code = code_clock.next_code()
    assert is_refused(await log_in(world.anonymous, ticket, code, "backup"), INVALID_CODE)
    assert (await log_in(world.anonymous, ticket, codes[1], "backup")).status == 200


async def test_ticket_works_once(world: World, other: World, code_clock: CodeClock) -> None:
    alice = await world.person("alice")
    codes = await enable_totp(alice, code_clock)
    ticket = (await challenged(world.anonymous, alice))["ticket"]
    answers = await asyncio.gather(
        *(
            log_in((world if number % 2 else other).anonymous, ticket, code)
            for number, code in enumerate(codes[:4])
        )
    )
    assert sorted(each.status for each in answers) == [200, 400, 400, 400]
    assert is_refused(await log_in(world.anonymous, ticket, codes[5]), INVALID_TICKET)
    ticket = (await challenged(world.anonymous, alice))["ticket"]
    used = [code for code, each in zip(codes, answers, strict=False) if each.status == 200]
    assert is_refused(await log_in(world.anonymous, ticket, used[0]), INVALID_CODE)
    spared = next(code for code in codes[:4] if code not in used)
    assert (await log_in(world.anonymous, ticket, spared)).status == 200


async def test_ticket_has_five_tries(world: World, other: World, code_clock: CodeClock) -> None:
    alice = await world.person("alice")
    await enable_totp(alice, code_clock)
    ticket = (await challenged(world.anonymous, alice))["ticket"]
    answers = await asyncio.gather(
        *(log_in((world, other)[n % 2].anonymous, ticket, "wrong code") for n in range(9))
    )
    assert sorted(each.json["code"] for each in answers) == [60006] * 4 + [60008] * 5
    answer = await log_in(world.anonymous, ticket, code_clock.next_code())
    assert is_refused(answer, INVALID_TICKET)


async def test_wrong_codes_are_throttled_over_tickets(
    world: World, other: World, code_clock: CodeClock
) -> None:
    alice, bob = await world.people("alice", "bob")
    await enable_totp(alice, code_clock)
    key = Authenticator()
    await add_passkey(alice, key, code=code_clock.next_code())
    await enable_totp(bob, code_clock)
    statuses = []
    for number in range(24):
        here = (world, other)[number % 2]
        ticket = (await challenged(here.anonymous, alice))["ticket"]
        statuses.append((await log_in(here.anonymous, ticket, "000000x")).status)
    assert statuses == [400] * 20 + [429] * 4
    challenge = await challenged(world.anonymous, alice)
    code = code_clock.next_code()
    assert (await log_in(world.anonymous, challenge["ticket"], code)).status == 429
    answer = await log_in(
        world.anonymous, challenge["ticket"], key.get(challenge["webauthn"]), "webauthn"
    )
    assert answer.status == 200  # a passkey cannot be guessed
    ticket = (await challenged(world.anonymous, bob))["ticket"]
    assert (await log_in(world.anonymous, ticket, code_clock.code())).status == 200


async def test_ticket_of_another_client_account_purpose_or_server_is_refused(
    world: World, code_clock: CodeClock
) -> None:
    alice, bob = await world.people("alice", "bob")
    await enable_totp(alice, code_clock)
    await enable_totp(bob, code_clock)
    ticket = (await challenged(world.anonymous, alice))["ticket"]
    code = code_clock.next_code()
    answer = await log_in(world.anonymous, ticket, code, agent="another browser")
    assert is_refused(answer, INVALID_TICKET)
    user, payload, proof = ticket.split(".")
    of_bob = base64.urlsafe_b64encode(bob.id.encode()).rstrip(b"=").decode()
    confirm = await alice.rest.call("POST", "/users/@me/mfa/totp/disable")
    foreign = mfa_keys.MfaKeys("another secret, which is long enough").issue(
        mfa_keys.Purpose.LOGIN, UserId(int(alice.id)), "a browser", "hash"
    )
    forged = [
        f"{of_bob}.{payload}.{proof}",
        f"{user}.{tampered(payload)}.{proof}",
        f"{user}.{payload}.{tampered(proof)}",
        f"{user}.{payload}.",
        payload,
        "." * 40,
        "é" * 40,
        "A" * 256,
        confirm.json["mfa"]["ticket"],
        foreign,
        alice.token[:256],
    ]
    for each in forged:
        assert is_refused(await log_in(world.anonymous, each, code), INVALID_TICKET), each
    assert (await log_in(world.anonymous, ticket, code)).status == 200


async def test_ticket_expires(
    world: World, code_clock: CodeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await world.person("alice")
    codes = await enable_totp(alice, code_clock)
    ticket = (await challenged(world.anonymous, alice))["ticket"]
    clock = CodeClock()
    monkeypatch.setattr(mfa_keys, "time", clock)
    clock.now += mfa_keys.TICKET_LIFETIME_S + 1
    assert is_refused(await log_in(world.anonymous, ticket, codes[0]), INVALID_TICKET)


async def test_new_password_revokes_tickets(world: World, code_clock: CodeClock) -> None:
    alice = await world.person("alice")
    codes = await enable_totp(alice, code_clock)
    ticket = (await challenged(world.anonymous, alice))["ticket"]
    change = {"password": PASSWORD, "new_password": "Another password 1"}
    await alice.rest.patch("/users/@me", {**change, "code": code_clock.next_code()})
    assert is_refused(await log_in(world.anonymous, ticket, codes[0]), INVALID_TICKET)
    body = {"login": alice.email, "password": "Another password 1"}
    made = await world.anonymous.post("/auth/login", body)
    answer = await world.anonymous.call(
        "POST", "/auth/mfa/totp", {"ticket": made["ticket"], "code": codes[0]}
    )
    assert answer.status == 200


async def test_login_with_passkey(world: World) -> None:
    alice = await world.person("alice")
    key = Authenticator()
    made = await add_passkey(alice, key)
    assert made == like(type=1, name="Key", last_used=None)
    assert len(made["backup_codes"]) == 10
    challenge = await challenged(world.anonymous, alice)
    assert challenge == like(totp=False, backup=True)
    options = json.loads(challenge["webauthn"])["publicKey"]
    assert options == like(rpId="chatd.test", userVerification="preferred")
    assert [each["id"] for each in options["allowCredentials"]] == [made["cred_id"]]
    answer = await log_in(
        world.anonymous, challenge["ticket"], key.get(challenge["webauthn"]), "webauthn"
    )
    alice.rest.token = token_of(answer)
    [listed] = await alice.rest.get("/users/@me/mfa/webauthn/credentials")
    assert listed["last_used"] is not None


async def test_passkey_that_does_not_count(world: World) -> None:
    alice = await world.person("alice")
    key = Authenticator(counts=False)
    await add_passkey(alice, key)
    for _ in range(2):
        challenge = await challenged(world.anonymous, alice)
        code = as_fermi_sends_it(key.get(challenge["webauthn"]))
        answer = await log_in(world.anonymous, challenge["ticket"], code, "webauthn")
        assert answer.status == 200


def changed(answer: str, **members: Any) -> str:
    parsed = json.loads(answer)
    parsed["response"] |= members
    return json.dumps(parsed)


async def test_wrong_assertions_are_refused(world: World) -> None:
    alice, bob = await world.people("alice", "bob")
    key, of_bob = Authenticator(), Authenticator()
    await add_passkey(alice, key)
    await add_passkey(bob, of_bob)

    async def refused(make: Any) -> None:
        challenge = await challenged(world.anonymous, alice)
        code = make(challenge["webauthn"])
        answer = await log_in(world.anonymous, challenge["ticket"], code, "webauthn")
        assert is_refused(answer, INVALID_CODE), answer.raw

    stale = (await challenged(world.anonymous, alice))["webauthn"]
    clone = Authenticator(credential_id=key.credential_id, key=key.key)
    answer = key.get(stale)
    other_origin = Authenticator(
        "http://chatd.test:8080", credential_id=key.credential_id, key=key.key, count=50
    )
    other_host = Authenticator(
        rp_id="example.org", credential_id=key.credential_id, key=key.key, count=50
    )
    stranger = Authenticator(credential_id=key.credential_id, count=50)
    await refused(lambda _: answer)  # of another challenge
    await refused(lambda _: "{}")
    await refused(lambda _: "not JSON")
    await refused(lambda _: "[" * 5000)
    await refused(lambda options: changed(key.get(options), signature="AAAA"))
    await refused(lambda options: changed(key.get(options), authenticatorData=""))
    await refused(lambda options: changed(key.get(options), authenticatorData=3))
    await refused(lambda options: changed(key.get(options), clientDataJSON="e30"))
    await refused(lambda options: key.get(options, kind="webauthn.create"))
    await refused(other_origin.get)
    await refused(other_host.get)
    await refused(stranger.get)
    await refused(of_bob.get)
    challenge = await challenged(world.anonymous, alice)
    code = key.get(challenge["webauthn"])
    assert (await log_in(world.anonymous, challenge["ticket"], code, "webauthn")).status == 200
    again = await log_in(world.anonymous, challenge["ticket"], code, "webauthn")
    assert is_refused(again, INVALID_TICKET)
    await refused(clone.get)  # its counter is behind


async def test_account_that_is_disabled_meanwhile_is_refused(
    server: Server, world: World, code_clock: CodeClock
) -> None:
    alice = await world.person("alice")
    codes = await enable_totp(alice, code_clock)
    ticket = (await challenged(world.anonymous, alice))["ticket"]
    dependencies = server.runner.app[DEPENDENCIES]
    await administration.disable(dependencies, UserId(int(alice.id)))
    assert is_refused(await log_in(world.anonymous, ticket, "000000"), INVALID_CODE)
    answer = await log_in(world.anonymous, ticket, codes[0])
    assert (answer.status, answer.json["code"]) == (403, 20013)
    await administration.enable(dependencies, UserId(int(alice.id)))
    assert (await log_in(world.anonymous, ticket, codes[0])).status == 200


async def test_refreshing_needs_no_factor(world: World, code_clock: CodeClock) -> None:
    alice = await world.person("alice")
    await enable_totp(alice, code_clock)
    ticket = (await challenged(world.anonymous, alice))["ticket"]
    made = (await log_in(world.anonymous, ticket, code_clock.next_code())).json
    refreshed = await world.anonymous.post(
        "/auth/refresh", {"refresh_token": made["refresh_token"]}
    )
    assert refreshed["user"]["mfa_enabled"] is True

"""A thief of a token: it neither keeps the owner out, nor changes factors without proving one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.conftest import Server
from tests.helpers.accounts import own_hash
from tests.helpers.authenticator import Authenticator
from tests.helpers.locks import Call, held_stream, one_after_the_other
from tests.helpers.mfa import (
    PASSKEYS,
    SECRET,
    CodeClock,
    add_passkey,
    challenged,
    confirmed,
    enable_totp,
    log_in,
)
from tests.world import PASSWORD, Person, Rest, World

ENABLE, DISABLE = "/users/@me/mfa/totp/enable", "/users/@me/mfa/totp/disable"
CODES = "/users/@me/mfa/codes"
INVALID_TICKET, INVALID_CODE, NEEDED = 60006, 60008, 60003


async def second_login(world: World, person: Person, code: str) -> Person:
    """Log in with a code; return the same person with the token of the new login."""
    ticket = (await challenged(world.anonymous, person))["ticket"]
    answer = await log_in(world.anonymous, ticket, code)
    assert answer.status == 200, answer.raw
    token = answer.json["access_token"]
    return replace(person, token=token, rest=Rest(world.http, world.url, token))


async def test_wrong_codes_with_a_token_do_not_keep_the_owner_out(
    world: World, code_clock: CodeClock
) -> None:
    alice = await world.person("alice")
    await enable_totp(alice, code_clock)
    other = await second_login(world, alice, code_clock.next_code())
    for _ in range(20):
        answer = await alice.rest.call("POST", DISABLE, {"code": "000000x"})
        assert (answer.status, answer.json["code"]) == (400, INVALID_CODE)
    guess = {"username": "alicia", "code": "000000x"}
    assert (await alice.rest.call("PATCH", "/users/@me", guess)).status == 429
    await second_login(world, alice, code_clock.next_code())
    answer = await other.rest.call("POST", DISABLE, {"code": code_clock.next_code()})
    assert answer.status == 200, answer.raw


async def test_requests_of_a_token_do_not_replace_tickets_of_the_owner(
    world: World, code_clock: CodeClock
) -> None:
    alice = await world.person("alice")
    await enable_totp(alice, code_clock)
    other = await second_login(world, alice, code_clock.next_code())
    ticket = (await challenged(world.anonymous, alice))["ticket"]
    asked = await other.rest.call("POST", DISABLE)
    for _ in range(20):
        assert (await alice.rest.call("POST", DISABLE)).json["code"] == NEEDED
    await confirmed(other, asked.json["mfa"]["ticket"], "totp", code_clock.next_code())
    answer = await log_in(world.anonymous, ticket, code_clock.next_code())
    assert answer.status == 200, answer.raw


async def test_passkey_that_was_begun_by_password_needs_the_first_factor(
    world: World, code_clock: CodeClock
) -> None:
    alice = await world.person("alice")
    begun = await alice.rest.post(PASSKEYS, {"password": PASSWORD})
    await enable_totp(alice, code_clock)
    body = {"ticket": begun["ticket"], "credential": Authenticator().create(begun["challenge"])}
    answer = await alice.rest.call("POST", PASSKEYS, body)
    assert (answer.status, answer.json["code"]) == (400, INVALID_TICKET), answer.raw
    assert await alice.rest.get(PASSKEYS) == []


@pytest.mark.parametrize("change", [{"new_password": "another one 12"}, {"email": "new@a.test"}])
async def test_new_password_or_address_needs_the_factor(
    world: World, code_clock: CodeClock, change: dict[str, str]
) -> None:
    """Otherwise a thief that knows the password could take the account from its owner."""
    alice = await world.person("alice")
    await enable_totp(alice, code_clock)
    other = await second_login(world, alice, code_clock.next_code())
    body = {"password": PASSWORD, **change}
    wrong = await alice.rest.call("PATCH", "/users/@me", {**body, "password": "wrong"})
    assert wrong.status == 400  # the factor is asked for after the password
    asked = await alice.rest.call("PATCH", "/users/@me", body)
    assert (asked.status, asked.json["code"]) == (401, NEEDED)
    assert (await other.rest.get("/users/@me"))["email"] == alice.email
    ticket = asked.json["mfa"]["ticket"]
    header = await confirmed(alice, ticket, "totp", code_clock.next_code())
    answer = await alice.rest.call("PATCH", "/users/@me", body, headers=header)
    assert answer.status == 200, answer.raw
    assert (await other.rest.call("GET", "/users/@me")).status == 401


@pytest.mark.parametrize("act", ["disable", "delete", "add"])
async def test_ended_login_changes_no_factor(
    world: World, server: Server, code_clock: CodeClock, act: str
) -> None:
    alice = await world.person("alice")
    await enable_totp(alice, code_clock)
    key = await add_passkey(alice, Authenticator(), code=code_clock.next_code())
    other = await second_login(world, alice, code_clock.next_code())
    begun = await alice.rest.post(PASSKEYS, {"code": code_clock.next_code()})
    adding = {"ticket": begun["ticket"], "credential": Authenticator().create(begun["challenge"])}
    own, code = await own_hash(alice), code_clock.next_code()
    acts: dict[str, Call] = {
        "disable": lambda: alice.rest.call("POST", DISABLE, {"code": code}),
        "delete": lambda: alice.rest.call("DELETE", f"{PASSKEYS}/{key['id']}", {"code": code}),
        "add": lambda: alice.rest.call("POST", PASSKEYS, adding),
    }
    ended, late = await one_after_the_other(
        held_stream(server, alice.id),
        lambda: other.rest.call("DELETE", f"/auth/sessions/{own}"),
        acts[act],
    )
    assert (ended.status, late.status) == (204, 401), late.raw
    assert [each["id"] for each in await other.rest.get(PASSKEYS)] == [key["id"]]
    assert (await other.rest.call("POST", DISABLE)).json["code"] == NEEDED


@pytest.mark.parametrize("act", ["enable", "replace codes"])
async def test_request_during_which_the_first_factor_is_added_needs_it(
    world: World, server: Server, code_clock: CodeClock, act: str
) -> None:
    alice = await world.person("alice")
    begun = await alice.rest.post(PASSKEYS, {"password": PASSWORD})
    adding = {"ticket": begun["ticket"], "credential": Authenticator().create(begun["challenge"])}
    path, body = CODES, {"password": PASSWORD, "regenerate": True}
    if act == "enable":
        path = ENABLE
        body = {"password": PASSWORD, "secret": SECRET, "code": code_clock.next_code()}
    added, late = await one_after_the_other(
        held_stream(server, alice.id),
        lambda: alice.rest.call("POST", PASSKEYS, adding),
        lambda: alice.rest.call("POST", path, body),
    )
    assert (added.status, late.status) == (200, 401), late.raw
    assert late.json["code"] == NEEDED

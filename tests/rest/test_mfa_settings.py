"""Settings of second factors, and confirmations of sensitive actions."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.conftest import ServeMore
from tests.helpers.authenticator import Authenticator
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
from tests.world import PASSWORD, World, like, world_on

ENABLE, DISABLE = "/users/@me/mfa/totp/enable", "/users/@me/mfa/totp/disable"
CODES = "/users/@me/mfa/codes"
ALREADY, NOT_ENABLED, NEEDED = 60001, 60002, 60003
INVALID_SECRET, INVALID_TICKET, INVALID_CODE = 60005, 60006, 60008


async def test_enabling_asks_for_password_then_secret_then_code(
    world: World, code_clock: CodeClock
) -> None:
    alice = await world.person("alice")
    [client] = await world.online("alice")

    async def refusal(**body: Any) -> Any:
        answer = await alice.rest.call("POST", ENABLE, body)
        assert answer.status == 400
        return answer.json

    code = code_clock.code()
    wrong = await refusal(password="wrong", secret=SECRET, code=code)
    assert wrong["errors"]["password"]["_errors"][0]["code"] == "PASSWORD_DOES_NOT_MATCH"
    assert (await refusal(password=PASSWORD))["code"] == INVALID_SECRET
    for secret in ("ABC", "1" * 32, "A" * 17, "A" * 256, "ä" * 32):
        assert (await refusal(password=PASSWORD, secret=secret, code=code))["code"] in (
            INVALID_SECRET,
            50035,
        )
    assert (await refusal(password=PASSWORD, secret=SECRET))["code"] == INVALID_CODE
    assert (await refusal(password=PASSWORD, secret=SECRET, code="000000"))["code"] == INVALID_CODE
    assert (await alice.rest.get("/users/@me"))["mfa_enabled"] is False
    spaced = " ".join(SECRET[n : n + 4] for n in range(0, 32, 4)).lower()
    made = await alice.rest.post(ENABLE, {"password": PASSWORD, "secret": spaced, "code": code})
    assert all(each == like(user_id=alice.id, consumed=False) for each in made["backup_codes"])
    assert (await client.next("USER_UPDATE")).d == like(mfa_enabled=True, authenticator_types=[2])
    assert (await refusal(password=PASSWORD, secret=SECRET, code=code))["code"] == ALREADY
    ticket = (await challenged(world.anonymous, alice))["ticket"]
    assert (await log_in(world.anonymous, ticket, code)).json["code"] == INVALID_CODE  # used


async def test_short_secret_of_fermi_is_accepted(world: World, code_clock: CodeClock) -> None:
    alice = await world.person("alice")
    secret = "JBSWY3DPEHPK3PXPJB"
    shortest = {"password": PASSWORD, "secret": secret[:16], "code": "000000"}
    assert (await alice.rest.call("POST", ENABLE, shortest)).json["code"] == INVALID_CODE
    await alice.rest.post(
        ENABLE, {**shortest, "secret": secret, "code": code_clock.code(0, secret)}
    )


async def test_first_factor_ends_other_logins(world: World, code_clock: CodeClock) -> None:
    alice = await world.person("alice")
    body = {"login": alice.email, "password": PASSWORD}
    other = await world.anonymous.post("/auth/login", body)
    await enable_totp(alice, code_clock)
    refreshing = {"refresh_token": other["refresh_token"]}
    answer = await world.anonymous.call("POST", "/auth/refresh", refreshing)
    assert answer.status == 401
    assert (await alice.rest.get("/users/@me"))["mfa_enabled"] is True


async def test_enabling_concurrently_enables_one(
    world: World, other: World, code_clock: CodeClock
) -> None:
    alice = await world.person("alice")
    body = {"password": PASSWORD, "secret": SECRET, "code": code_clock.code()}
    answers = await asyncio.gather(
        *((world, other)[n % 2].rest("alice").call("POST", ENABLE, body) for n in range(4))
    )
    assert sorted(each.status for each in answers)[0] == 200
    assert {each.json["code"] for each in answers if each.status != 200} <= {ALREADY, NEEDED}
    [codes] = [each.json["backup_codes"] for each in answers if each.status == 200]
    listed = await alice.rest.post(CODES, {"password": PASSWORD})
    assert len(codes) == len(listed["backup_codes"]) == 10


async def test_disabling_needs_the_factor(world: World, code_clock: CodeClock) -> None:
    alice = await world.person("alice")
    assert (await alice.rest.call("POST", DISABLE)).json["code"] == NOT_ENABLED
    await enable_totp(alice, code_clock)
    answer = await alice.rest.call("POST", DISABLE)
    assert (answer.status, answer.json["code"]) == (401, NEEDED)
    methods = [each["type"] for each in answer.json["mfa"]["methods"]]
    assert methods == ["totp", "backup"]
    answer = await alice.rest.call("POST", DISABLE, {"code": code_clock.code()})
    assert answer.json["code"] == INVALID_CODE  # the one that enabled it
    await alice.rest.post(DISABLE, {"code": code_clock.next_code()})
    assert (await alice.rest.get("/users/@me"))["mfa_enabled"] is False
    body = {"login": alice.email, "password": PASSWORD}
    assert (await world.anonymous.post("/auth/login", body))["token"]
    assert (await alice.rest.call("POST", CODES, {"password": PASSWORD})).json[
        "code"
    ] == NOT_ENABLED


async def test_confirmation_as_discords_clients_do(world: World, code_clock: CodeClock) -> None:
    alice, bob = await world.people("alice", "bob")
    await enable_totp(alice, code_clock)
    ticket = (await alice.rest.call("POST", DISABLE)).json["mfa"]["ticket"]
    wrong = {"ticket": ticket, "mfa_type": "totp", "data": "000000"}
    assert (await alice.rest.call("POST", "/mfa/finish", wrong)).json["code"] == INVALID_CODE
    by_password = {**wrong, "mfa_type": "password", "data": PASSWORD}
    answer = await alice.rest.call("POST", "/mfa/finish", by_password)
    assert answer.json["code"] == INVALID_TICKET
    of_bob = {**wrong, "data": code_clock.next_code()}
    assert (await bob.rest.call("POST", "/mfa/finish", of_bob)).json["code"] == INVALID_TICKET
    header = await confirmed(alice, ticket, "totp", code_clock.next_code())
    again = {**wrong, "data": code_clock.next_code()}
    assert (await alice.rest.call("POST", "/mfa/finish", again)).json["code"] == INVALID_TICKET
    codes = {"password": PASSWORD, "regenerate": True}
    for name, value in (("forged", "x" * 50), ("empty", ""), ("ticket", ticket)):
        headers = {"X-Discord-MFA-Authorization": value}
        answer = await alice.rest.call("POST", CODES, codes, headers=headers)
        assert answer.status == 401, name
    for _ in range(2):  # for five minutes
        answer = await alice.rest.call("POST", CODES, codes, headers=header)
        assert answer.status == 200
    challenge = await challenged(world.anonymous, alice)
    made = (
        await log_in(world.anonymous, challenge["ticket"], answer.json["backup_codes"][0]["code"])
    ).json
    alice.rest.token = made["access_token"]  # another login
    assert (await alice.rest.call("POST", CODES, codes, headers=header)).status == 401


async def test_confirmation_by_password_ends_with_the_first_factor(
    world: World, code_clock: CodeClock
) -> None:
    alice = await world.person("alice")
    answer = await alice.rest.call("POST", PASSKEYS)
    assert (answer.status, answer.json["mfa"]["methods"]) == (401, [{"type": "password"}])
    header = await confirmed(alice, answer.json["mfa"]["ticket"], "password", PASSWORD)
    begun = await alice.rest.call("POST", PASSKEYS, headers=header)
    assert begun.status == 200
    await enable_totp(alice, code_clock)
    assert (await alice.rest.call("POST", PASSKEYS, headers=header)).status == 401
    assert (await alice.rest.call("POST", PASSKEYS, {"password": PASSWORD})).status == 401


async def test_recovery_codes_are_shown_once_and_replaced(
    world: World, code_clock: CodeClock
) -> None:
    alice = await world.person("alice")
    first = await enable_totp(alice, code_clock)
    ticket = (await challenged(world.anonymous, alice))["ticket"]
    assert (await log_in(world.anonymous, ticket, first[0])).status == 200
    assert (await alice.rest.call("POST", CODES, {"password": "wrong"})).status == 400
    listed = await alice.rest.post(CODES, {"password": PASSWORD})
    assert sum(each["consumed"] for each in listed["backup_codes"]) == 1
    assert {each["code"] for each in listed["backup_codes"]} == {"*" * 8}
    wanted = {"password": PASSWORD, "regenerate": True, "code": first[1]}
    made = await alice.rest.post(CODES, wanted)
    second = [each["code"] for each in made["backup_codes"]]
    assert not set(first) & set(second)
    ticket = (await challenged(world.anonymous, alice))["ticket"]
    assert (await log_in(world.anonymous, ticket, first[2])).status == 400
    assert (await log_in(world.anonymous, ticket, second[2])).status == 200


async def test_last_recovery_code_is_no_longer_offered(world: World, code_clock: CodeClock) -> None:
    alice = await world.person("alice")
    for code in await enable_totp(alice, code_clock):
        challenge = await challenged(world.anonymous, alice)
        assert challenge["backup"] is True
        assert (await log_in(world.anonymous, challenge["ticket"], code)).status == 200
    assert (await challenged(world.anonymous, alice))["backup"] is False


async def test_passkeys_are_listed_renamed_and_deleted(world: World, code_clock: CodeClock) -> None:
    alice, bob = await world.people("alice", "bob")
    first, second = Authenticator(), Authenticator()
    made = await add_passkey(alice, first)
    codes = [each["code"] for each in made["backup_codes"]]
    added = await add_passkey(alice, second, code=codes[0])
    assert added["backup_codes"] == []
    path = f"{PASSKEYS}/{added['id']}"
    assert (await bob.rest.call("PATCH", path, {"name": "mine"})).status == 404
    assert (await bob.rest.call("DELETE", path)).status == 404
    assert (await alice.rest.call("PATCH", path, {"name": ""})).status == 400
    assert (await alice.rest.patch(path, {"name": "On the phone"}))["name"] == "On the phone"
    assert [each["name"] for each in await alice.rest.get(PASSKEYS)] == ["Key", "On the phone"]
    assert (await bob.rest.get(PASSKEYS)) == []
    answer = await alice.rest.call("DELETE", path)
    [method, *_] = answer.json["mfa"]["methods"]
    assert (answer.status, method["type"]) == (401, "webauthn")
    proof = second.get(method["challenge"])
    header = await confirmed(alice, answer.json["mfa"]["ticket"], "webauthn", proof)
    assert (await alice.rest.call("DELETE", path, headers=header)).status == 204
    assert (await alice.rest.get("/users/@me"))["mfa_enabled"] is True
    last = f"{PASSKEYS}/{made['id']}"
    assert (await alice.rest.call("DELETE", last, {"code": codes[1]})).status == 204
    assert (await alice.rest.get("/users/@me"))["mfa_enabled"] is False
    await enable_totp(alice, code_clock)
    answer = await alice.rest.call("POST", DISABLE, {"code": codes[2]})
    assert answer.json["code"] == INVALID_CODE  # the codes have gone with the factor


async def test_wrong_registrations_are_refused(world: World) -> None:
    alice, bob = await world.people("alice", "bob")

    async def refused(make: Any, code: int = INVALID_CODE, by: Any = alice) -> None:
        begun = await alice.rest.post(PASSKEYS, {"password": PASSWORD})
        body = {"ticket": begun["ticket"], "credential": make(begun["challenge"])}
        answer = await by.rest.call("POST", PASSKEYS, body)
        assert (answer.status, answer.json["code"]) == (400, code), answer.raw

    stale = (await alice.rest.post(PASSKEYS, {"password": PASSWORD}))["challenge"]
    key = Authenticator()
    await refused(lambda _: key.create(stale))
    await refused(lambda _: "{}")
    await refused(lambda _: '{"rawId": "AA", "response": {"attestationObject": "gQ"}}')
    await refused(Authenticator("http://evil.example").create)
    await refused(Authenticator(rp_id="example.org").create)
    await refused(lambda options: key.create(options, fmt="tpm"))
    await refused(lambda options: key.create(options, fmt="packed", attStmt={"x5c": [b"x"]}))
    await refused(lambda options: key.create(options, attStmt={"a": 1}))
    await refused(lambda options: key.create(options, authData=b"x" * 3000))
    await refused(lambda options: key.create(options, authData=7))
    await refused(key.create, INVALID_TICKET, bob)
    assert (await alice.rest.get(PASSKEYS)) == []
    begun = await alice.rest.post(PASSKEYS, {"password": PASSWORD})
    body = {"ticket": begun["ticket"], "credential": key.create(begun["challenge"])}
    answers = await asyncio.gather(*(alice.rest.call("POST", PASSKEYS, body) for _ in range(3)))
    assert sorted(each.status for each in answers) == [200, 400, 400]
    answer = await alice.rest.call("POST", PASSKEYS, {"ticket": "x"})
    assert list(answer.json["errors"]) == ["credential"]
    begun = await bob.rest.post(PASSKEYS, {"password": PASSWORD})  # the same credential
    body = {"ticket": begun["ticket"], "credential": key.create(begun["challenge"])}
    assert (await bob.rest.call("POST", PASSKEYS, body)).json["code"] == INVALID_CODE
    assert (await bob.rest.get("/users/@me"))["mfa_enabled"] is False


async def test_passkeys_are_bounded(world: World) -> None:
    alice = await world.person("alice")
    codes = [each["code"] for each in (await add_passkey(alice, Authenticator()))["backup_codes"]]
    answer = await alice.rest.call("POST", PASSKEYS)
    header = await confirmed(alice, answer.json["mfa"]["ticket"], "backup", codes[0])
    for _ in range(19):
        begun = (await alice.rest.call("POST", PASSKEYS, headers=header)).json
        body = {"ticket": begun["ticket"]}
        body["credential"] = Authenticator().create(begun["challenge"])
        await alice.rest.post(PASSKEYS, body)
    answer = await alice.rest.call("POST", PASSKEYS, headers=header)
    assert (answer.status, "20" in answer.json["message"]) == (400, True)


async def test_user_verification_can_be_required(serve_more: ServeMore, world: World) -> None:
    alice = await world.person("alice")
    async with (
        serve_more(worker_id=3, passkey_user_verification="required") as server,
        world_on(server.url, server.gateway_url) as strict,
    ):
        strict.share_people(world)
        rest = strict.rest("alice")
        begun = await rest.post(PASSKEYS, {"password": PASSWORD})
        key = Authenticator(verifies_user=False)
        body = {"ticket": begun["ticket"], "credential": key.create(begun["challenge"])}
        assert (await rest.call("POST", PASSKEYS, body)).json["code"] == INVALID_CODE
        await add_passkey(alice, key)  # where it is only preferred
        challenge = await challenged(strict.anonymous, alice)
        code = key.get(challenge["webauthn"])
        answer = await log_in(strict.anonymous, challenge["ticket"], code, "webauthn")
        assert answer.status == 400
        key.verifies_user = True
        challenge = await challenged(strict.anonymous, alice)
        code = key.get(challenge["webauthn"])
        answer = await log_in(strict.anonymous, challenge["ticket"], code, "webauthn")
        assert answer.status == 200


async def test_passkeys_need_a_host(serve_more: ServeMore, world: World) -> None:
    await world.person("alice")
    async with (
        serve_more(worker_id=3, public_url="http://127.0.0.1:8080") as server,
        world_on(server.url, server.gateway_url) as there,
    ):
        there.share_people(world)
        answer = await there.rest("alice").call("POST", PASSKEYS, {"password": PASSWORD})
        assert (answer.status, "PUBLIC_URL" in answer.json["message"]) == (400, True)


async def test_another_secret_of_the_server_makes_codes_useless(
    serve_more: ServeMore, world: World, code_clock: CodeClock, caplog: pytest.LogCaptureFixture
) -> None:
    alice = await world.person("alice")
    codes = await enable_totp(alice, code_clock)
    async with (
        serve_more(worker_id=3, jwt_secret="another secret, long enough for it") as server,
        world_on(server.url, server.gateway_url) as there,
    ):
        ticket = (await challenged(there.anonymous, alice))["ticket"]
        for code in (code_clock.next_code(), codes[0]):
            answer = await log_in(there.anonymous, ticket, code)
            assert (answer.status, answer.json["code"]) == (400, INVALID_CODE)
    assert "reset-mfa" in caplog.text
    ticket = (await challenged(world.anonymous, alice))["ticket"]
    assert (await log_in(world.anonymous, ticket, code_clock.next_code())).status == 200


async def test_deleting_the_account_needs_password_and_factor(
    world: World, code_clock: CodeClock
) -> None:
    alice = await world.person("alice")
    await enable_totp(alice, code_clock)
    await add_passkey(alice, Authenticator(), code=code_clock.next_code())
    body = {"password": PASSWORD}
    wrong = {"password": "wrong", "code": code_clock.next_code()}
    assert (await alice.rest.call("POST", "/users/@me/delete", wrong)).status == 400
    assert (await alice.rest.call("POST", "/users/@me/delete", body)).status == 401
    body["code"] = code_clock.code()
    assert (await alice.rest.call("POST", "/users/@me/delete", body)).status == 204


async def test_code_with_a_new_name_must_be_right(world: World, code_clock: CodeClock) -> None:
    """Fermi sends it with each change of the account; an empty one counts as none."""
    alice, bob = await world.people("alice", "bob")
    await enable_totp(alice, code_clock)
    path = "/users/@me"
    wrong = await alice.rest.call("PATCH", path, {"global_name": "A", "code": "000000"})
    assert (wrong.status, wrong.json["code"]) == (400, INVALID_CODE)
    right = {"global_name": "A", "code": code_clock.next_code()}
    assert (await alice.rest.patch(path, right))["global_name"] == "A"
    assert (await alice.rest.patch(path, {"global_name": "B", "code": ""}))["global_name"] == "B"
    without_factor = {"global_name": "B", "code": "000000"}
    assert (await bob.rest.patch(path, without_factor))["global_name"] == "B"


async def test_transferring_and_deleting_a_guild_needs_the_factor(
    world: World, code_clock: CodeClock
) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    alice, bob = await world.people("alice", "bob")
    await enable_totp(alice, code_clock)
    path = f"/guilds/{guild.id}"
    assert (await alice.rest.call("PATCH", path, {"name": "renamed"})).status == 200
    assert (await alice.rest.call("PATCH", path, {"owner_id": bob.id})).status == 401
    wrong = {"owner_id": bob.id, "code": "000000"}
    assert (await alice.rest.call("PATCH", path, wrong)).json["code"] == INVALID_CODE
    answer = await alice.rest.call("DELETE", path)
    assert (answer.status, answer.json["code"]) == (401, NEEDED)
    assert (await bob.rest.call("DELETE", path)).json["code"] == 50013
    body = {"owner_id": bob.id, "code": code_clock.next_code()}
    assert (await alice.rest.patch(path, body))["owner_id"] == bob.id
    assert (await bob.rest.call("DELETE", path)).status == 204  # who has no factor

"""Addresses of accounts: they are verified by a link in a mail."""

from __future__ import annotations

from chatd.core.ids import UserId
from chatd.services.accounts import administration
from chatd.web.keys import DEPENDENCIES
from tests.conftest import Server
from tests.helpers.account_mail import (
    fresh_email,
    is_invalid,
    token_in_mail,
    try_login,
    use,
    verified,
)
from tests.helpers.accounts import log_in
from tests.helpers.mail import MailServer, body, link
from tests.world import PASSWORD, World, like


async def test_new_account_verifies_its_address(world: World, mails: MailServer) -> None:
    alice = await world.person("alice")
    [client] = await world.online("alice")
    assert (await alice.rest.get("/users/@me"))["verified"] is False
    token = await token_in_mail(mails, alice.email, "verify")
    answer = await world.anonymous.post("/auth/verify", {"token": token})
    assert answer == {"user_id": alice.id, "token": None}
    assert (await client.next("USER_UPDATE")).d == like(verified=True, email=alice.email)
    assert (await alice.rest.get("/users/@me"))["verified"] is True
    assert is_invalid(await use(world.anonymous, "verify", token))


async def test_verification_is_sent_again_until_it_is_done(world: World, mails: MailServer) -> None:
    alice = await world.person("alice")
    first = await token_in_mail(mails, alice.email, "verify")
    headers = {"Accept-Language": "de-DE"}
    answer = await alice.rest.call("POST", "/auth/verify/resend", headers=headers)
    assert answer.status == 204
    message = await mails.next(alice.email, 2)
    assert message["Subject"] == "Bestätige deine E-Mail-Adresse für chatd.test"
    assert link(message) == ("verify", first)
    await world.anonymous.post("/auth/verify", {"token": first})
    await alice.rest.post("/auth/verify/resend")
    await world.anonymous.post("/auth/forgot", {"login": alice.email})
    assert link(await mails.next(alice.email, 3))[0] == "reset"


async def test_new_address_is_used_when_it_was_verified(world: World, mails: MailServer) -> None:
    alice = await verified(world, mails, "alice")
    other = await log_in(world, alice)
    await mails.next(alice.email, 2)  # the notice of the login
    email = fresh_email()
    changed = await alice.rest.patch("/users/@me", {"password": PASSWORD, "email": email})
    assert changed == like(email=alice.email, verified=True)
    token = await token_in_mail(mails, email, "verify")
    assert (await other.rest.call("GET", "/users/@me")).status == 200
    await world.anonymous.post("/auth/verify", {"token": token})
    assert (await alice.rest.get("/users/@me")) == like(email=email, verified=True)
    assert (await other.rest.call("GET", "/users/@me")).status == 401
    assert (await try_login(world, alice.email, PASSWORD)).status == 400
    notice = await mails.next(alice.email, 3)
    assert notice["Subject"] == "Your email address on chatd.test was changed"
    assert email in body(notice)


async def test_address_of_another_account_cannot_be_found_out_or_taken(
    world: World, mails: MailServer
) -> None:
    alice, bob = await world.people("alice", "bob")
    given = {"password": PASSWORD, "email": bob.email}
    answer = await alice.rest.call("PATCH", "/users/@me", given)
    assert (answer.status, answer.json["email"]) == (200, alice.email)
    token = await token_in_mail(mails, bob.email, "verify", 2)
    refused = await use(world.anonymous, "verify", token)
    assert (refused.status, "EMAIL_ALREADY_REGISTERED" in refused.raw.decode()) == (400, True)
    assert (await alice.rest.get("/users/@me"))["email"] == alice.email


async def test_account_that_waits_for_approval_verifies_its_address(
    world: World, sending: Server, mails: MailServer
) -> None:
    alice = await world.person("alice")
    token = await token_in_mail(mails, alice.email, "verify")
    dependencies = sending.runner.app[DEPENDENCIES]
    await administration.disable(dependencies, UserId(int(alice.id)))
    assert (await use(world.anonymous, "verify", token)).status == 200
    await administration.enable(dependencies, UserId(int(alice.id)))
    assert (await try_login(world, alice.email, PASSWORD)).json["user"]["verified"] is True

"""Notices of changes to an account, and the links in them that undo a change."""

from __future__ import annotations

import secrets

from chatd.auth.oidc.provider import Providers
from chatd.core.ids import LoginId, UserId
from chatd.oidc_settings import ProviderOptions, ProviderSettings
from chatd.queries import oidc_identities
from chatd.services.accounts.oidc import links
from chatd.services.accounts.oidc.person import read
from chatd.web.keys import DEPENDENCIES
from tests.conftest import Server
from tests.helpers.account_mail import (
    NEW,
    OTHER,
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

_ACME = ProviderSettings(
    "acme",
    ProviderOptions(issuer="https://id.acme.example", client_id="chatd", label="Acme Inc."),
    client_secret="",
)


async def test_thief_cannot_keep_an_account(world: World, mails: MailServer) -> None:
    """It changes password and address twice each; the first notice undoes all of it."""
    alice = await verified(world, mails, "alice")
    thief = await log_in(world, alice)
    await mails.next(alice.email, 2)
    await thief.rest.patch("/users/@me", {"password": PASSWORD, "new_password": NEW})
    undo = await token_in_mail(mails, alice.email, "undo", 3)
    later = []
    for email in (fresh_email(), fresh_email()):
        await thief.rest.patch("/users/@me", {"password": NEW, "email": email})
        token = await token_in_mail(mails, email, "verify")
        await world.anonymous.post("/auth/verify", {"token": token})
        later.append(email)
    thiefs_undo = await token_in_mail(mails, later[0], "undo", 2)
    taken = {"username": f"x.{secrets.token_hex(4)}", "email": alice.email, "password": PASSWORD}
    refused = await world.anonymous.call("POST", "/auth/register", taken)
    assert "EMAIL_ALREADY_REGISTERED" in refused.raw.decode()
    assert (await use(world.anonymous, "undo", undo, OTHER)).status == 204
    assert (await thief.rest.call("GET", "/users/@me")).status == 401
    assert is_invalid(await use(world.anonymous, "undo", thiefs_undo))
    assert is_invalid(await use(world.anonymous, "undo", undo))
    assert (await try_login(world, later[1], NEW)).status == 400
    answer = await try_login(world, alice.email, OTHER)
    assert answer.json["user"] == like(id=alice.id, email=alice.email, verified=True)
    assert "was undone" in (await mails.next(later[1], 2))["Subject"]


async def test_thief_cannot_keep_a_link_to_a_provider(
    world: World, sending: Server, mails: MailServer
) -> None:
    alice, bob = await verified(world, mails, "alice"), await world.person("bob")
    await alice.rest.patch("/users/@me", {"password": PASSWORD, "new_password": NEW})
    await world.anonymous.post("/auth/forgot", {"login": bob.email})
    database = sending.runner.app[DEPENDENCIES].database
    ids = [UserId(int(each.id)) for each in (alice, bob)]
    async with database.cursor() as cur:
        for user_id in ids:
            await oidc_identities.link(cur, user_id, "https://id.example.org", str(user_id))
    undo = await token_in_mail(mails, alice.email, "undo", 2)
    assert (await use(world.anonymous, "undo", undo, OTHER)).status == 204
    reset = await token_in_mail(mails, bob.email, "reset", 2)  # Bob's address is not verified
    assert (await use(world.anonymous, "reset", reset)).status == 200
    async with database.cursor() as cur:
        assert [await oidc_identities.list_identities(cur, each) for each in ids] == [[], []]


async def test_owner_learns_of_a_link_to_a_provider_and_undoes_it(
    world: World, sending: Server, mails: MailServer
) -> None:
    alice = await verified(world, mails, "alice")
    dependencies, caller = sending.runner.app[DEPENDENCIES], UserId(int(alice.id))
    provider = Providers([_ACME], "http://chatd.test").get("acme")
    assert provider is not None
    async with dependencies.database.cursor() as cur:
        await cur.execute(f"SELECT id FROM logins WHERE user_id = {caller}")
        [login_id] = (await cur.fetchall())[0]
    thief = read({"sub": f"thief of {caller}"}, {}, provider.settings.options)
    await links.finish(dependencies, provider, caller, LoginId(login_id), thief)
    notice = await mails.next(alice.email, 2)
    assert notice["Subject"] == "There is a new way to log in to your account on chatd.test"
    assert "Acme Inc." in body(notice)
    assert (await use(world.anonymous, "undo", link(notice)[1])).status == 204
    async with dependencies.database.cursor() as cur:
        assert await oidc_identities.list_identities(cur, caller) == []


async def test_later_link_does_not_revoke_an_earlier_one(world: World, mails: MailServer) -> None:
    alice = await verified(world, mails, "alice")
    await alice.rest.patch("/users/@me", {"password": PASSWORD, "new_password": NEW})
    first = await token_in_mail(mails, alice.email, "undo", 2)
    await alice.rest.patch("/users/@me", {"password": NEW, "new_password": OTHER})
    second = await token_in_mail(mails, alice.email, "undo", 3)
    assert (await use(world.anonymous, "undo", second, PASSWORD)).status == 204
    assert (await use(world.anonymous, "undo", first, NEW)).status == 204
    assert (await try_login(world, alice.email, NEW)).status == 200


async def test_notice_of_a_login_is_escaped_and_has_no_links(
    world: World, mails: MailServer
) -> None:
    alice = await verified(world, mails, "alice")
    await log_in(world, alice, '<img src=x> "evil.example" http://evil.example/x')
    notice = await mails.next(alice.email, 2)
    assert notice["Subject"] == "New login to your account on chatd.test"
    assert "<img" not in body(notice, "html") and "&lt;img src=x&gt;" in body(notice, "html")
    for kind in ("plain", "html"):
        assert "evil.example" not in body(notice, kind) and "http://e" not in body(notice, kind)


async def test_unverified_address_gets_no_notices(world: World, mails: MailServer) -> None:
    alice = await world.person("alice")
    await mails.next(alice.email)
    await log_in(world, alice)
    await alice.rest.patch("/users/@me", {"password": PASSWORD, "new_password": NEW})
    await world.anonymous.post("/auth/forgot", {"login": alice.email})
    assert link(await mails.next(alice.email, 2))[0] == "reset"

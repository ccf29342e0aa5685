"""Registration with approval, and blocked mail domains and networks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any

import pytest

from chatd.core.ids import UserId
from chatd.queries import registrations
from chatd.services.accounts import administration
from chatd.services.safety import registration_rules
from chatd.web.keys import DEPENDENCIES
from tests.conftest import ServeMore, Server
from tests.helpers.accounts import administrator
from tests.helpers.mail import body, mail_server
from tests.world import PASSWORD, Answer, Person, Rest, World, like, world_on

QUEUE = "/administration/registrations"


@asynccontextmanager
async def approving(serve_more: ServeMore) -> AsyncIterator[World]:
    """Another server on which registrations wait."""
    async with (
        serve_more(worker_id=1, registration="approval") as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        yield world


async def register(world: World, name: str, domain: str = "example.org", **more: Any) -> Answer:
    body = {"username": name, "email": f"{name}@{domain}", "password": PASSWORD, **more}
    return await world.anonymous.call("POST", "/auth/register", body)


async def log_in(world: World, name: str) -> Answer:
    credentials = {"login": f"{name}@example.org", "password": PASSWORD}
    return await world.anonymous.call("POST", "/auth/login", credentials)


async def waiting(admin: Person, name: str) -> str:
    """Return the id of a waiting account."""
    [found] = [
        each for each in await admin.rest.get(f"{QUEUE}?limit=100") if each["username"] == name
    ]
    return str(found["id"])


async def test_account_waits_until_it_is_approved(
    world: World, server: Server, serve_more: ServeMore
) -> None:
    admin = await administrator(server, world, "admin")
    name = f"w.{admin.name[-8:]}"
    async with approving(serve_more) as there:
        answer = await register(there, name)
        assert (answer.status, answer.json) == (202, {"awaits_approval": True})
        for each in (there, world):  # also on an instance with another policy
            refused = await log_in(each, name)
            [error] = refused.json["errors"]["login"]["_errors"]
            assert (refused.status, error["code"]) == (400, "ACCOUNT_AWAITS_APPROVAL")
        wrong = {"login": f"{name}@example.org", "password": "wrong password"}
        stranger = await there.anonymous.call("POST", "/auth/login", wrong)
        assert [*stranger.json["errors"]] == ["password"]  # only its owner learns that it waits
        user_id = await waiting(admin, name)
        await admin.rest.post(f"{QUEUE}/{user_id}/approve")
        assert (await log_in(there, name)).status == 200
        for decision in ("approve", "refuse"):
            again = await admin.rest.call("POST", f"{QUEUE}/{user_id}/{decision}")
            assert again.status == 404


async def test_approved_person_gets_a_mail(
    world: World, server: Server, serve_more: ServeMore
) -> None:
    admin = await administrator(server, world, "admin")
    async with (
        mail_server() as mails,
        serve_more(worker_id=1, registration="approval", smtp=mails.settings) as sending,
        world_on(sending.url, sending.gateway_url) as there,
    ):
        dependencies = sending.runner.app[DEPENDENCIES]
        rest = Rest(there.http, there.url, admin.token)
        for way in ("approve", "enable"):
            name = f"{way[0]}m.{admin.name[-8:]}"
            await register(there, name)
            user_id = await waiting(admin, name)
            if way == "approve":
                await rest.post(f"{QUEUE}/{user_id}/approve")
            else:
                await administration.enable(dependencies, UserId(int(user_id)))
            verification, notice = [
                await mails.next(f"{name}@example.org", count) for count in (1, 2)
            ]
            assert verification["Subject"].startswith("Verify your email address")
            assert notice["Subject"] == "Your account on chatd.test was approved"
            assert f"Hello \u2068{name}\u2069," in body(notice).replace("\u2060", "")


async def test_refused_account_is_deleted(
    world: World, server: Server, serve_more: ServeMore
) -> None:
    admin = await administrator(server, world, "admin")
    name = f"r.{admin.name[-8:]}"
    async with approving(serve_more) as there:
        await register(there, name)
        user_id = await waiting(admin, name)
        decisions = [
            admin.rest.call("POST", f"{QUEUE}/{user_id}/{each}") for each in ("refuse", "refuse")
        ]
        assert sorted([each.status for each in await asyncio.gather(*decisions)]) == [204, 404]
        assert [*(await log_in(there, name)).json["errors"]] == ["password"]
        assert (await register(there, name)).status == 202


async def test_registration_code_replaces_the_approval(
    world: World, server: Server, serve_more: ServeMore
) -> None:
    admin = await administrator(server, world, "admin")
    code = (await admin.rest.post("/auth/invitations", {"max_uses": 1}))["code"]
    name = f"c.{admin.name[-8:]}"
    async with approving(serve_more) as there:
        assert (await register(there, name, invitation=code)).status == 201
        used = await register(there, f"{name}2", invitation=code)
        assert [*used.json["errors"]] == ["invitation"]
        assert (await register(there, f"{name}3", invite=code)).status == 202  # of a guild


async def test_enabled_account_no_longer_waits(
    world: World, server: Server, serve_more: ServeMore
) -> None:
    admin = await administrator(server, world, "admin")
    name = f"e.{admin.name[-8:]}"
    async with approving(serve_more) as there:
        await register(there, name)
        user_id = await waiting(admin, name)
        dependencies = server.runner.app[DEPENDENCIES]
        await administration.enable(dependencies, UserId(int(user_id)))
        assert (await log_in(there, name)).status == 200
        assert (await admin.rest.call("POST", f"{QUEUE}/{user_id}/refuse")).status == 404
        assert (await log_in(there, name)).status == 200
        await administration.disable(dependencies, UserId(int(user_id)))  # for what it did since
        assert (await admin.rest.call("POST", f"{QUEUE}/{user_id}/approve")).status == 404
        assert (await admin.rest.call("POST", f"{QUEUE}/{user_id}/refuse")).status == 404


async def test_queue_of_waiting_accounts_is_bounded(
    world: World, serve_more: ServeMore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registration_rules, "MAX_WAITING", 0)
    async with approving(serve_more) as there:
        answer = await register(there, "one.too.many")
    assert answer.status == 403
    assert answer.json["message"] == "Too many accounts wait for approval; try again later."


@asynccontextmanager
async def blocked(
    server: Server, *, domains: Collection[str] = (), networks: Collection[str] = ()
) -> AsyncIterator[None]:
    """Block registrations while the context is open."""
    database = server.runner.app[DEPENDENCIES].database
    async with database.cursor() as cur:
        await registrations.insert_blocks(cur, domains=domains, networks=networks, note=None)
    try:
        yield
    finally:
        for value in domains:
            async with database.cursor() as cur:
                assert await registrations.delete_block(cur, domain=value, network=None)
        for value in networks:
            async with database.cursor() as cur:
                assert await registrations.delete_block(cur, domain=None, network=value)


async def test_blocked_mail_domain_is_refused_with_its_subdomains(
    world: World, server: Server
) -> None:
    async with blocked(server, domains=["trash.example"]):
        for domain in ("trash.example", "Mail.TRASH.example"):
            answer = await register(world, "spammer", domain)
            [error] = answer.json["errors"]["email"]["_errors"]
            assert (answer.status, error["code"]) == (400, "EMAIL_DOMAIN_BLOCKED")
        assert (await register(world, "no.spammer", "nottrash.example")).status == 201
    assert (await register(world, "spammer", "trash.example")).status == 201


async def test_account_cannot_change_to_a_blocked_mail_domain(world: World, server: Server) -> None:
    alice = await world.person("alice")
    async with blocked(server, domains=["trash.example"]):
        body = {"password": PASSWORD, "email": f"{alice.name}@trash.example"}
        answer = await alice.rest.call("PATCH", "/users/@me", body)
        [error] = answer.json["errors"]["email"]["_errors"]
        assert (answer.status, error["code"]) == (400, "EMAIL_DOMAIN_BLOCKED")
        assert (await alice.rest.get("/users/@me"))["email"] == alice.email


async def test_blocked_network_is_refused(world: World, server: Server) -> None:
    async with blocked(server, networks=["127.0.0.0/8"]):
        answer = await register(world, "from.there")
        assert (answer.status, answer.json) == (
            403,
            like(message="Registration is not possible from this network."),
        )
    async with blocked(server, networks=["192.0.2.0/24", "2001:db8::/32"]):
        assert (await register(world, "from.here")).status == 201


async def test_only_administrators_decide(world: World) -> None:
    bob = await world.person("bob")
    for method, path in (
        ("GET", QUEUE),
        ("POST", f"{QUEUE}/{bob.id}/approve"),
        ("POST", f"{QUEUE}/{bob.id}/refuse"),
    ):
        assert (await bob.rest.call(method, path)).code == 50013

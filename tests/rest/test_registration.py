"""Registration: open, by invitation, or closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from chatd.core.ids import UserId
from chatd.services.accounts import administration
from chatd.web.keys import DEPENDENCIES
from tests.conftest import ServeMore, Server
from tests.helpers.accounts import administrator
from tests.world import PASSWORD, Answer, World, like, world_on


@asynccontextmanager
async def registering(serve_more: ServeMore, how: str) -> AsyncIterator[tuple[Server, World]]:
    """Another server, with this registration setting."""
    async with (
        serve_more(worker_id=1, registration=how) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        yield server, world


async def register(world: World, name: str, invitation: str | None) -> Answer:
    body: dict[str, object] = {"username": name, "email": f"{name}@example.org"}
    return await world.anonymous.call(
        "POST", "/auth/register", {**body, "password": PASSWORD, "invitation": invitation}
    )


async def test_closed_registration_is_refused(serve_more: ServeMore) -> None:
    async with registering(serve_more, "closed") as (_, there):
        answer = await register(there, "closed.out", None)
    assert answer.status == 403
    assert answer.json["message"] == "Registration is closed on this server."


@pytest.mark.parametrize("code", [None, "nosuchcode"])
async def test_missing_invitation_is_refused(serve_more: ServeMore, code: str | None) -> None:
    async with registering(serve_more, "invitation") as (_, there):
        answer = await register(there, "uninvited", code)
    assert (answer.status, answer.code) == (400, 50035)
    assert list(answer.json["errors"]) == ["invitation"]


async def test_invitation_is_valid_for_its_number_of_uses(
    world: World, server: Server, serve_more: ServeMore
) -> None:
    ada = await administrator(server, world, "ada")
    async with registering(serve_more, "invitation") as (_, there):
        made = await ada.rest.post("/auth/invitations", {"max_uses": 2})
        assert made == like(created_by=ada.id, max_uses=2, uses=0)
        answers = await asyncio.gather(
            *(register(there, f"guest.{n}.{ada.name[-6:]}", made["code"]) for n in range(4))
        )
        assert sorted(answer.status for answer in answers) == [201, 201, 400, 400]
        codes = [each["code"] for each in await ada.rest.get("/auth/invitations")]
        assert made["code"] not in codes


async def test_revoked_invitation_is_refused(
    world: World, server: Server, serve_more: ServeMore
) -> None:
    ada = await administrator(server, world, "ada")
    made = await ada.rest.post("/auth/invitations")
    assert made["expires_at"] is not None
    await ada.rest.delete(f"/auth/invitations/{made['code']}")
    assert (await ada.rest.call("DELETE", f"/auth/invitations/{made['code']}")).status == 404
    async with registering(serve_more, "invitation") as (_, there):
        assert (await register(there, "too.late", made["code"])).status == 400


async def test_invitation_of_a_former_administrator_is_invalid(
    world: World, server: Server, serve_more: ServeMore
) -> None:
    ada = await administrator(server, world, "ada")
    made = await ada.rest.post("/auth/invitations")
    dependencies = server.runner.app[DEPENDENCIES]
    await administration.set_administrator(dependencies, UserId(int(ada.id)), False)
    async with registering(serve_more, "invitation") as (_, there):
        assert (await register(there, "void.guest", made["code"])).status == 400
    assert (await ada.rest.call("GET", "/auth/invitations")).code == 50013


async def test_only_administrators_create_invitations(world: World) -> None:
    bob = await world.person("bob")
    for method, path in [
        ("GET", "/auth/invitations"),
        ("POST", "/auth/invitations"),
        ("DELETE", "/auth/invitations/abc"),
    ]:
        answer = await bob.rest.call(method, path)
        assert (answer.status, answer.code) == (403, 50013)


async def test_open_registration_ignores_codes(world: World) -> None:
    assert (await register(world, "walked.in", "nosuchcode")).status == 201

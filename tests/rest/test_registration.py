"""Who may register: everyone, those who are invited, or nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from chatd.core.ids import UserId
from chatd.keys import RESOURCES
from chatd.services import administration
from tests.conftest import ServeMore, Server
from tests.world import PASSWORD, Answer, Person, World, like, world_on


@asynccontextmanager
async def registering(serve_more: ServeMore, how: str) -> AsyncIterator[tuple[Server, World]]:
    """Another server, on which people register in this way."""
    async with (
        serve_more(worker_id=1, registration=how) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        yield server, world


async def administrator(server: Server, world: World) -> Person:
    """Somebody of the shared world who runs the server."""
    ada = await world.person("ada")
    await administration.set_administrator(server.runner.app[RESOURCES], UserId(int(ada.id)), True)
    return ada


async def register(world: World, name: str, invitation: str | None) -> Answer:
    body: dict[str, object] = {"username": name, "email": f"{name}@example.org"}
    return await world.nobody.call(
        "POST", "/auth/register", {**body, "password": PASSWORD, "invitation": invitation}
    )


async def test_closed(serve_more: ServeMore) -> None:
    async with registering(serve_more, "closed") as (_, there):
        answer = await register(there, "closed.out", None)
    assert answer.status == 403
    assert answer.json["message"] == "Registration is closed on this server."


@pytest.mark.parametrize("code", [None, "nosuchcode"])
async def test_without_an_invitation(serve_more: ServeMore, code: str | None) -> None:
    async with registering(serve_more, "invitation") as (_, there):
        answer = await register(there, "uninvited", code)
    assert (answer.status, answer.code) == (400, 50035)
    assert list(answer.json["errors"]) == ["invitation"]


async def test_an_invitation_is_good_for_as_many_as_it_says(
    world: World, server: Server, serve_more: ServeMore
) -> None:
    ada = await administrator(server, world)
    async with registering(serve_more, "invitation") as (_, there):
        made = await ada.rest.post("/auth/invitations", {"max_uses": 2})
        assert made == like(created_by=ada.id, max_uses=2, uses=0)
        answers = await asyncio.gather(
            *(register(there, f"guest.{n}.{ada.name[-6:]}", made["code"]) for n in range(4))
        )
        assert sorted(answer.status for answer in answers) == [201, 201, 400, 400]
        codes = [each["code"] for each in await ada.rest.get("/auth/invitations")]
        assert made["code"] not in codes


async def test_an_invitation_is_taken_back(
    world: World, server: Server, serve_more: ServeMore
) -> None:
    ada = await administrator(server, world)
    made = await ada.rest.post("/auth/invitations")
    assert made["expires_at"] is not None
    await ada.rest.delete(f"/auth/invitations/{made['code']}")
    assert (await ada.rest.call("DELETE", f"/auth/invitations/{made['code']}")).status == 404
    async with registering(serve_more, "invitation") as (_, there):
        assert (await register(there, "too.late", made["code"])).status == 400


async def test_it_is_void_when_its_maker_may_no_longer_invite(
    world: World, server: Server, serve_more: ServeMore
) -> None:
    ada = await administrator(server, world)
    made = await ada.rest.post("/auth/invitations")
    resources = server.runner.app[RESOURCES]
    await administration.set_administrator(resources, UserId(int(ada.id)), False)
    async with registering(serve_more, "invitation") as (_, there):
        assert (await register(there, "void.guest", made["code"])).status == 400
    assert (await ada.rest.call("GET", "/auth/invitations")).code == 50013


async def test_others_make_none(world: World) -> None:
    bob = await world.person("bob")
    for method, path in [
        ("GET", "/auth/invitations"),
        ("POST", "/auth/invitations"),
        ("DELETE", "/auth/invitations/abc"),
    ]:
        answer = await bob.rest.call(method, path)
        assert (answer.status, answer.code) == (403, 50013)


async def test_where_everyone_may_register_a_code_does_not_matter(world: World) -> None:
    assert (await register(world, "walked.in", "nosuchcode")).status == 201

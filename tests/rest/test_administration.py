"""Administration of the server over the API: who may do it, and what it does."""

from __future__ import annotations

import pytest

from tests.conftest import Server
from tests.helpers.accounts import administrator, log_in
from tests.world import PASSWORD, Person, World, like

NEW_PASSWORD = "Analytical1843"


@pytest.fixture
async def ada(server: Server, world: World) -> Person:
    return await administrator(server, world, "ada")


async def test_own_account_shows_administrators_only_to_themselves(
    ada: Person, world: World
) -> None:
    bob = await world.person("bob")
    assert (await ada.rest.get("/users/@me"))["flags"] == 1
    assert (await bob.rest.get("/users/@me"))["flags"] == 0
    assert (await bob.rest.get(f"/users/{ada.id}"))["flags"] == 0


async def test_accounts_are_found_page_by_page(ada: Person, world: World) -> None:
    people = await world.people("carol", "dan", "eve")
    first = await ada.rest.get(f"/administration/accounts?after={int(ada.id)}&limit=2")
    assert [each["id"] for each in first] == [each.id for each in people[:2]]
    rest = await ada.rest.get(f"/administration/accounts?after={first[-1]['id']}&limit=100")
    assert [each["id"] for each in rest] == [people[2].id]
    [found] = await ada.rest.get(f"/administration/accounts?query={people[1].email}")
    assert found == like(id=people[1].id, email=people[1].email, disabled_at=None, logins=1)
    [own] = await ada.rest.get(f"/administration/accounts?kind=administrators&query={ada.email}")
    assert own["administrator"] is True
    bad = await ada.rest.call("GET", "/administration/accounts?kind=odd&limit=101")
    assert (bad.status, sorted(bad.json["errors"])) == (400, ["kind", "limit"])


async def test_disabled_account_is_logged_out_until_it_is_enabled(
    ada: Person, world: World
) -> None:
    bob = await world.person("bob")
    path = f"/administration/accounts/{bob.id}"
    changed = await ada.rest.patch(path, {"disabled": True})
    assert changed == like(id=bob.id, logins=0) and changed["disabled_at"] is not None
    assert (await bob.rest.call("GET", "/users/@me")).status == 401
    assert (await ada.rest.patch(path, {"disabled": False}))["disabled_at"] is None
    bob = await log_in(world, bob)
    await ada.rest.post(f"{path}/logout")
    assert (await bob.rest.call("GET", "/users/@me")).status == 401


async def test_password_is_set_and_account_deleted(ada: Person, world: World) -> None:
    guild = await world.guild(owner="bob")
    path = f"/administration/accounts/{guild.owner.id}"
    refused = await ada.rest.call("PATCH", path, {"password": "password1"})
    assert (refused.status, list(refused.json["errors"])) == (400, ["password"])
    await ada.rest.patch(path, {"password": NEW_PASSWORD})
    body = {"login": guild.owner.email, "password": PASSWORD}
    assert (await world.anonymous.call("POST", "/auth/login", body)).status == 400
    body["password"] = NEW_PASSWORD
    assert (await world.anonymous.call("POST", "/auth/login", body)).status == 200
    assert (await ada.rest.call("DELETE", path)).code == 50055
    [shown] = await ada.rest.get(f"/administration/guilds?after={int(guild.id) - 1}&limit=1")
    assert shown == like(id=guild.id, owner_id=guild.owner.id, members=1)
    assert (await ada.rest.call("DELETE", path, {"delete_guilds": True})).status == 204
    assert (await ada.rest.call("DELETE", path)).status == 404
    assert (await ada.rest.call("PATCH", path, {"disabled": True})).status == 404


async def test_administrators_change_no_administrators(
    ada: Person, server: Server, world: World
) -> None:
    other = await administrator(server, world, "eve")
    for who in (ada, other):
        path = f"/administration/accounts/{who.id}"
        for method, address, body in (
            ("PATCH", path, {"disabled": True}),
            ("PATCH", path, {"password": NEW_PASSWORD}),
            ("POST", f"{path}/logout", None),
            ("DELETE", path, None),
        ):
            answer = await ada.rest.call(method, address, body)
            assert (answer.status, answer.code) == (403, 50013), (method, address)


async def test_figures_and_statistics_are_shown(ada: Person, world: World, server: Server) -> None:
    guild = await world.guild(owner="bob")
    before = await ada.rest.get("/administration/figures")
    await world.rest("bob").post(f"/channels/{guild.general.id}/messages", {"content": "hi"})
    after = await ada.rest.get("/administration/figures")
    assert after["worker_id"] == server.config.worker_id
    assert after["messages"] > before["messages"] and after["requests"] > before["requests"]
    found = await ada.rest.get("/administration/statistics")
    assert found["counts"]["people"] >= 2
    assert server.config.worker_id in [each["worker_id"] for each in found["instances"]]

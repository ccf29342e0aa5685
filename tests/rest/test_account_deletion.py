"""Account deletion: what is deleted, what is kept, and concurrent requests."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

import psycopg2
import pytest

from tests.conftest import Server
from tests.helpers.locks import Call, held_stream, held_user, one_after_the_other
from tests.world import PASSWORD, Answer, Person, Rest, World, like


async def delete(person: Person, password: Any = PASSWORD) -> Answer:
    return await person.rest.call("POST", "/users/@me/delete", {"password": password})


async def try_login(world: World, email: str, password: str = PASSWORD) -> Answer:
    return await world.anonymous.call("POST", "/auth/login", {"email": email, "password": password})


async def members_of(person: Person, guild_id: str) -> set[str]:
    found = await person.rest.get(f"/guilds/{guild_id}/members?limit=1000")
    return {each["user"]["id"] for each in found}


def ghosts(server: Server) -> list[str]:
    """Return what deleted accounts still own or are members of.

    Rows of deleted guilds are deleted later."""
    with psycopg2.connect(server.config.database_url) as database, database.cursor() as cur:
        cur.execute(
            "SELECT 'owns ' || guilds.id FROM guilds JOIN users ON users.id = owner_id"
            " WHERE deleted_at IS NOT NULL"
            " UNION ALL SELECT 'is in ' || guild_id FROM guild_members JOIN users"
            " ON users.id = user_id JOIN guilds ON guilds.id = guild_id"
            " WHERE users.deleted_at IS NOT NULL"
            " UNION ALL SELECT 'is logged in ' || user_id FROM logins JOIN users"
            " ON users.id = user_id WHERE deleted_at IS NOT NULL AND revoked_at IS NULL"
        )
        found = [str(row[0]) for row in cur.fetchall()]
    database.close()
    return found


def like_deleted_user(person: Person) -> like:
    return like(id=person.id, global_name=None, avatar=None, discriminator="0")


@pytest.mark.parametrize("route", ["POST /users/@me/delete", "DELETE /users/@me"])
async def test_deleted_account_is_anonymized(world: World, server: Server, route: str) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    alice, bob = await world.people("alice", "bob")
    await bob.rest.patch("/users/@me", {"global_name": "Bob", "bio": "I sail."})
    path = f"/channels/{guild.general.id}/messages"
    sent = await bob.rest.post(path, {"content": "remember me"})
    private = await bob.rest.post("/users/@me/channels", {"recipient_id": alice.id})
    private_path = f"/channels/{private['id']}/messages"
    await bob.rest.post(private_path, {"content": "between us"})
    alice_client, bob_client = await world.online("alice", "bob")

    method, _, url = route.partition(" ")
    answer = await bob.rest.call(method, url, {"password": PASSWORD})
    assert (answer.status, answer.raw) == (204, b"")

    removed = (await alice_client.next("GUILD_MEMBER_REMOVE")).d
    assert removed == like(guild_id=guild.id, user=like_deleted_user(bob))
    anonymous = removed["user"]
    assert anonymous["username"].startswith("deleted_user_")
    assert await bob_client.closed() == 4004
    assert (await bob.rest.call("GET", "/users/@me")).status == 401
    body = {"refresh_token": bob.refresh_token}
    assert (await world.anonymous.call("POST", "/auth/refresh", body)).status == 401
    late = await try_login(world, bob.email)
    assert late.json == (await try_login(world, "nobody@example.org")).json

    assert await alice.rest.get(f"/users/{bob.id}") == anonymous
    [kept] = [each for each in await alice.rest.get(path) if each["id"] == sent["id"]]
    assert kept == like(content="remember me", author=anonymous)
    assert (await alice.rest.get(private_path))[0] == like(content="between us", author=anonymous)
    refused = await alice.rest.call("POST", private_path, {"content": "anybody there?"})
    assert (refused.status, refused.code) == (403, 50007)
    [channel] = await alice.rest.get("/users/@me/channels")
    assert channel == like(id=private["id"], recipients=[anonymous])
    assert await members_of(alice, guild.id) == {alice.id}
    assert (await alice.rest.call("GET", f"/users/{bob.id}/profile")).code == 50001
    assert ghosts(server) == []

    again = await world.anonymous.post(
        "/auth/register", {"username": bob.name, "email": bob.email, "password": PASSWORD}
    )
    assert again["user"]["id"] != bob.id
    assert (await try_login(world, bob.email)).json["user"]["id"] == again["user"]["id"]


async def test_deletion_ends_every_login_on_every_instance(world: World, other: World) -> None:
    bob = await world.person("bob")
    made = (await try_login(other, bob.email)).json
    clients = [*await world.online("bob"), *await other.online("bob")]
    phone = await other.socket()
    await phone.identify(made["access_token"])
    rests = [Rest(other.http, other.url, token) for token in (bob.token, made["access_token"])]
    for rest in rests:
        await rest.get("/users/@me")  # cached there
    assert (await delete(bob)).status == 204
    for client in (*clients, phone):
        assert await client.closed() == 4004
    for rest in rests:
        assert (await rest.call("GET", "/users/@me")).status == 401
    resumed = await other.resumed("bob", clients[1])
    assert (await resumed.next_op(9))["d"] is False  # the session no longer exists
    await resumed.send(2, {"token": bob.token, "properties": {}})
    assert await resumed.closed() == 4004


async def test_guild_owner_cannot_delete_its_account(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    alice, bob = await world.people("alice", "bob")
    answer = await delete(alice)
    assert (answer.status, answer.code) == (400, 50055)
    assert "You own guilds" in answer.json["message"]
    await alice.rest.patch(f"/guilds/{guild.id}", {"owner_id": bob.id})
    assert (await delete(alice)).status == 204
    assert await members_of(bob, guild.id) == {bob.id}
    assert (await delete(bob)).code == 50055
    await bob.rest.delete(f"/guilds/{guild.id}")
    assert (await delete(bob)).status == 204


@pytest.mark.parametrize("password", ["Password124!", "", None, "absent"])
@pytest.mark.parametrize("route", ["POST /users/@me/delete", "DELETE /users/@me"])
async def test_deletion_requires_the_password(
    world: World, route: str, password: str | None
) -> None:
    bob = await world.person("bob")
    method, _, url = route.partition(" ")
    body = None if password == "absent" else {"password": password}
    answer = await bob.rest.call(method, url, body)
    assert (answer.status, answer.code) == (400, 50035)
    [error] = answer.json["errors"]["password"]["_errors"]
    assert error["code"] == "PASSWORD_DOES_NOT_MATCH"
    await bob.rest.get("/users/@me")


async def test_bans_and_invites_are_kept(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    strict = await world.guild(owner="carol")
    bob = await world.person("bob")
    await strict.owner.rest.put(f"/guilds/{strict.id}/bans/{bob.id}", {})
    invite = await bob.rest.post(f"/channels/{guild.general.id}/invites")
    assert (await delete(bob)).status == 204
    [ban] = await strict.owner.rest.get(f"/guilds/{strict.id}/bans")
    assert ban["user"] == like_deleted_user(bob)
    carol = await world.person("carol")
    joined = await carol.rest.post(f"/invites/{invite['code']}")
    assert joined["inviter"] == ban["user"]


async def test_deleted_account_cannot_be_messaged(world: World) -> None:
    alice, bob, carol, _ = await world.friends("alice", "bob", "carol", "dave")
    group = await alice.rest.post(
        "/users/@me/channels", {"recipients": [carol.id, world._people["dave"].id]}
    )
    assert (await delete(bob)).status == 204
    for body in ({"recipient_id": bob.id}, {"recipients": [bob.id, carol.id]}):
        answer = await alice.rest.call("POST", "/users/@me/channels", body)
        assert (answer.status, answer.code) == (400, 50033)
    path = f"/channels/{group['id']}/recipients/{bob.id}"
    assert (await alice.rest.call("PUT", path)).code == 10013


@pytest.mark.parametrize("name", ["deleted_user_0", "Deleted_User_x", "ｄeleted_user_1"])
async def test_deleted_usernames_are_reserved(world: World, name: str) -> None:
    alice = await world.person("alice")
    answer = await alice.rest.call("PATCH", "/users/@me", {"username": name})
    assert answer.json["errors"].keys() == {"username"}


async def test_concurrent_deletions_of_an_account(world: World, server: Server) -> None:
    bob = await world.person("bob")
    answers = await one_after_the_other(
        held_stream(server, bob.id), lambda: delete(bob), lambda: delete(bob)
    )
    assert [answer.status for answer in answers] == [204, 401]


async def test_login_after_the_deletion_is_refused(world: World, server: Server) -> None:
    bob = await world.person("bob")
    answers = await one_after_the_other(
        held_user(server, bob.id), lambda: delete(bob), lambda: try_login(world, bob.email)
    )
    assert [answer.status for answer in answers] == [204, 400]
    assert ghosts(server) == []


async def test_login_before_the_deletion_ends(world: World, server: Server) -> None:
    bob = await world.person("bob")
    answers = await one_after_the_other(
        held_user(server, bob.id), lambda: try_login(world, bob.email), lambda: delete(bob)
    )
    assert [answer.status for answer in answers] == [200, 204]
    assert ghosts(server) == []


async def test_password_changed_before_the_deletion_is_required(
    world: World, server: Server
) -> None:
    bob = await world.person("bob")
    body = {"password": PASSWORD, "new_password": "Password456!"}
    answers = await one_after_the_other(
        held_stream(server, bob.id),
        lambda: bob.rest.call("PATCH", "/users/@me", body),
        lambda: delete(bob),
    )
    assert [answer.status for answer in answers] == [200, 400]
    assert (await delete(bob, "Password456!")).status == 204


@pytest.mark.parametrize(
    "change",
    [{"global_name": "x"}, {"bio": "x"}, {"password": PASSWORD, "new_password": "Password456!"}],
    ids=["name", "bio", "password"],
)
async def test_change_after_the_deletion_is_refused(
    world: World, server: Server, change: dict[str, str]
) -> None:
    alice, bob = await world.people("alice", "bob")
    answers = await one_after_the_other(
        held_stream(server, bob.id),
        lambda: delete(bob),
        lambda: bob.rest.call("PATCH", "/users/@me", change),
    )
    assert [answer.status for answer in answers] == [204, 401]
    assert await alice.rest.get(f"/users/{bob.id}") == like_deleted_user(bob)
    assert (await try_login(world, bob.email, "Password456!")).status == 400


async def test_guild_creation_after_the_deletion_is_refused(world: World, server: Server) -> None:
    bob = await world.person("bob")
    answers = await one_after_the_other(
        held_stream(server, bob.id),
        lambda: delete(bob),
        lambda: bob.rest.call("POST", "/guilds", {"name": "mine"}),
    )
    assert [answer.status for answer in answers] == [204, 401]
    assert ghosts(server) == []


async def test_guild_created_before_the_deletion_prevents_it(world: World, server: Server) -> None:
    bob = await world.person("bob")
    answers = await one_after_the_other(
        held_stream(server, bob.id),
        lambda: bob.rest.call("POST", "/guilds", {"name": "mine"}),
        lambda: delete(bob),
    )
    assert [answer.status for answer in answers] == [201, 503]  # the creation added a guild
    assert (await delete(bob)).code == 50055
    await bob.rest.get("/users/@me")


async def test_join_after_the_deletion_is_refused(world: World, server: Server) -> None:
    guild = await world.guild(owner="alice")
    alice, bob = await world.people("alice", "bob")
    code = await guild.invite(max_uses=1)
    answers = await one_after_the_other(
        held_stream(server, bob.id),
        lambda: delete(bob),
        lambda: bob.rest.call("POST", f"/invites/{code}"),
    )
    assert [answer.status for answer in answers] == [204, 401]
    assert await members_of(alice, guild.id) == {alice.id}
    await (await world.person("carol")).rest.post(f"/invites/{code}")  # it was not consumed


async def test_join_during_the_deletion_is_ended_by_a_retry(world: World, server: Server) -> None:
    guild = await world.guild(owner="alice")
    alice, bob = await world.people("alice", "bob")
    code = await guild.invite()
    answers = await one_after_the_other(
        held_stream(server, bob.id),
        lambda: bob.rest.call("POST", f"/invites/{code}"),
        lambda: delete(bob),
    )
    assert [answer.status for answer in answers] == [200, 503]
    assert await members_of(alice, guild.id) == {alice.id, bob.id}
    assert (await delete(bob)).status == 204
    assert await members_of(alice, guild.id) == {alice.id}


@pytest.mark.parametrize("first", ["delete", "hand over"])
async def test_guild_transfer_during_the_deletion(world: World, server: Server, first: str) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    alice, bob = await world.people("alice", "bob")
    calls: list[Call] = [
        lambda: delete(bob),
        lambda: alice.rest.call("PATCH", f"/guilds/{guild.id}", {"owner_id": bob.id}),
    ]
    if first == "hand over":
        calls.reverse()
    answers = await one_after_the_other(held_stream(server, guild.id), *calls)
    if first == "delete":
        assert [answer.status for answer in answers] == [204, 400]
        assert answers[1].json["errors"].keys() == {"owner_id"}
    else:
        assert [answer.status for answer in answers] == [200, 400]
        assert answers[1].code == 50055
    assert ghosts(server) == []


async def test_direct_message_after_the_deletion_is_refused(world: World, server: Server) -> None:
    alice, bob = await world.friends("alice", "bob")
    private = await alice.rest.post("/users/@me/channels", {"recipient_id": bob.id})
    path = f"/channels/{private['id']}/messages"
    answers = await one_after_the_other(
        held_stream(server, bob.id),
        lambda: delete(bob),
        lambda: bob.rest.call("POST", path, {"content": "one more thing"}),
    )
    assert [answer.status for answer in answers] == [204, 401]
    assert await alice.rest.get(path) == []


async def test_concurrent_operations_leave_no_deleted_member(world: World, server: Server) -> None:
    guild = await world.guild(owner="alice")
    alice = await world.person("alice")
    for n in range(6):
        bob = await world.person(f"bob{n}")
        code = await guild.invite()
        if n % 2:
            await guild.admit(bob)
        answers = await asyncio.gather(
            delete(bob),
            bob.rest.call("POST", f"/invites/{code}"),
            bob.rest.call("POST", "/guilds", {"name": "mine"}),
            alice.rest.call("PATCH", f"/guilds/{guild.id}", {"owner_id": bob.id}),
            bob.rest.call("PATCH", "/users/@me", {"global_name": secrets.token_hex(4)}),
            try_login(world, bob.email),
            delete(bob),
        )
        assert [answer.status for answer in answers].count(204) <= 1
        assert ghosts(server) == []
        if answers[3].status == 200:
            await bob.rest.patch(f"/guilds/{guild.id}", {"owner_id": alice.id})

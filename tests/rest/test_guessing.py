"""Guessing passwords is slow, and keeps nobody out but the guesser."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from ipaddress import ip_network

import pytest
from redis import Redis

from chatd import embedded
from chatd.context import Context
from chatd.core.errors import RateLimited
from chatd.keys import CALLERS, RESOURCES
from chatd.queries import users
from chatd.services import guessing
from tests.conftest import ServeMore, Server
from tests.world import PASSWORD, Answer, Person, Rest, World, like

GUESSER, OWNER = "203.0.113.7", "198.51.100.20"
WRONG = "Password124!"


@pytest.fixture(scope="module")
async def behind_proxy(serve_more: ServeMore) -> AsyncIterator[Server]:
    """A server without limits on routes, which believes who this machine says that it asks for."""
    proxies = (ip_network("127.0.0.0/8"),)
    async with serve_more(worker_id=21, trusted_proxies=proxies) as server:
        yield server


async def log_in(
    world: World, server: Server, email: str, password: str, *, via: str = GUESSER
) -> Answer:
    """A login from some address."""
    body = {"email": email, "password": password}
    headers = {"X-Forwarded-For": via}
    return await Rest(world.http, server.url).call("POST", "/auth/login", body, headers=headers)


async def test_a_guesser_is_slowed_down_and_the_owner_is_not(
    world: World, behind_proxy: Server
) -> None:
    alice = await world.person("alice")
    guesses = [await log_in(world, behind_proxy, alice.email, WRONG) for _ in range(7)]
    assert [answer.status for answer in guesses] == [400] * 5 + [429] * 2
    refused = guesses[-1]
    assert refused.json == like(message="You are being rate limited.", **{"global": False})
    assert 0 < refused.json["retry_after"] <= 60
    assert refused.headers["X-RateLimit-Limit"] == "5"
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    assert refused.headers["Via"]
    # Not even the right password tells a guesser anything now.
    assert (await log_in(world, behind_proxy, alice.email, PASSWORD)).status == 429
    assert (await log_in(world, behind_proxy, alice.email, PASSWORD, via=OWNER)).status == 200
    assert (await alice.rest.get("/users/@me"))["id"] == alice.id
    # The guesser's own account, and other people in the same network, still log in.
    bob = await world.person("bob")
    assert (await log_in(world, behind_proxy, bob.email, PASSWORD)).status == 200


async def test_spelling_the_address_otherwise_is_no_way_around(
    world: World, behind_proxy: Server
) -> None:
    alice = await world.person("alice")
    spellings = [alice.email, alice.email.upper(), alice.email.title()] * 2
    guesses = [await log_in(world, behind_proxy, email, WRONG) for email in spellings]
    assert [answer.status for answer in guesses] == [400] * 5 + [429]


async def test_many_at_once_are_no_way_around(world: World, behind_proxy: Server) -> None:
    alice = await world.person("alice")
    guesses = await asyncio.gather(
        *(log_in(world, behind_proxy, alice.email, WRONG) for _ in range(20))
    )
    assert Counter(answer.status for answer in guesses) == {400: 5, 429: 15}


async def test_an_account_that_does_not_exist_looks_the_same(
    world: World, behind_proxy: Server
) -> None:
    alice = await world.person("alice")
    known = [await log_in(world, behind_proxy, alice.email, WRONG) for _ in range(6)]
    unknown = [await log_in(world, behind_proxy, f"x{alice.email}", WRONG) for _ in range(6)]
    for left, right in zip(known, unknown, strict=True):
        assert left.status == right.status
        assert left.headers.keys() == right.headers.keys()
        assert left.json.keys() == right.json.keys()


async def test_the_right_password_costs_nothing(world: World, behind_proxy: Server) -> None:
    alice = await world.person("alice")
    for _ in range(3):
        for password in (WRONG, PASSWORD, PASSWORD):
            answer = await log_in(world, behind_proxy, alice.email, password)
            assert answer.status == (200 if password == PASSWORD else 400)


async def test_a_network_cannot_try_one_password_on_everybody(
    world: World, behind_proxy: Server, valkey: embedded.Valkey
) -> None:
    used_up("passwords:192.0.2.50", 98, valkey)
    emails = [f"nobody{number}@example.org" for number in range(4)]
    tries = [await log_in(world, behind_proxy, email, WRONG, via="192.0.2.50") for email in emails]
    assert [answer.status for answer in tries] == [400, 400, 429, 429]
    elsewhere = await log_in(world, behind_proxy, emails[0], WRONG, via="192.0.2.51")
    assert elsewhere.status == 400


@pytest.mark.usefixtures("patient")
async def test_instances_count_guesses_together(
    world: World, behind_proxy: Server, serve_more: ServeMore
) -> None:
    alice = await world.person("alice")
    proxies = (ip_network("127.0.0.1"),)
    async with serve_more(worker_id=22, trusted_proxies=proxies) as other:
        servers = [behind_proxy, other] * 4
        tries = [log_in(world, server, alice.email, WRONG) for server in servers]
        counted = Counter(answer.status for answer in await asyncio.gather(*tries))
    assert counted == {400: 5, 429: 3}  # exactly


async def test_who_is_no_trusted_proxy_cannot_pick_an_address(
    world: World, server: Server, valkey: embedded.Valkey
) -> None:
    alice = await world.person("alice")
    tries = [
        await log_in(world, server, alice.email, WRONG, via=f"192.0.2.{number}")
        for number in range(7)
    ]
    assert [answer.status for answer in tries] == [400] * 5 + [429] * 2


async def test_a_password_asked_for_again_is_counted_for_each_login(
    world: World, server: Server
) -> None:
    alice = await world.person("alice")
    hashed = await hash_of(server, alice)
    thief, owner = [
        await context(server, token)
        for token in (alice.token, (await again(world, alice))["access_token"])
    ]
    for _ in range(5):
        assert not await guessing.is_own(thief, WRONG, hashed)
    with pytest.raises(RateLimited):
        await guessing.is_own(thief, PASSWORD, hashed)
    assert await guessing.is_own(owner, PASSWORD, hashed)


async def again(world: World, person: Person) -> dict[str, str]:
    """Another login of the same account."""
    body = {"email": person.email, "password": PASSWORD}
    return dict(await world.nobody.post("/auth/login", body))


async def context(server: Server, token: str) -> Context:
    """What a service is called with."""
    app = server.runner.app
    return Context(app[RESOURCES], await app[CALLERS].of_token(token))


async def hash_of(server: Server, person: Person) -> str:
    async with server.runner.app[RESOURCES].database.cursor() as cur:
        found = await users.credentials(cur, person.email)
    assert found is not None
    return found.password_hash


async def test_invalid_tokens_are_refused_for_less(
    world: World, serve_more: ServeMore, valkey: embedded.Valkey
) -> None:
    alice = await world.person("alice")
    used_up("invalid:192.0.2.77", 9_995, valkey)
    proxies = (ip_network("127.0.0.1"),)
    headers = {"X-Forwarded-For": "192.0.2.77", "Authorization": "Bearer nonsense"}
    async with serve_more(worker_id=23, rate_limits=True, trusted_proxies=proxies) as limited:
        nobody = Rest(world.http, limited.url)
        answers = [await nobody.call("GET", "/users/@me", headers=headers) for _ in range(20)]
        counted = Counter(answer.status for answer in answers)
        assert counted.keys() == {401, 429}
        assert 5 <= counted[401] <= 15
        assert answers[-1].json == like(message="You are being rate limited.")
        mine = await nobody.call(
            "GET", "/users/@me", headers={**headers, "Authorization": alice.token}
        )
        assert mine.status == 200


async def test_a_guesser_is_told_of_the_limit_that_refuses(
    world: World, serve_more: ServeMore
) -> None:
    proxies = (ip_network("127.0.0.1"),)
    async with serve_more(worker_id=25, rate_limits=True, trusted_proxies=proxies) as limited:
        email = f"{(await world.person('alice')).name}@example.net"
        tries = [await log_in(world, limited, email, WRONG) for _ in range(6)]
    limits = [answer.headers["X-RateLimit-Limit"] for answer in tries]
    assert limits == ["100"] * 5 + ["5"]
    assert tries[-1].headers["X-RateLimit-Remaining"] == "0"
    left = float(tries[-1].headers["X-RateLimit-Reset-After"])
    assert left == pytest.approx(tries[-1].json["retry_after"], abs=0.01)


async def test_registrations_are_counted_by_network(
    world: World, serve_more: ServeMore, valkey: embedded.Valkey
) -> None:
    proxies = (ip_network("127.0.0.1"),)
    async with serve_more(worker_id=24, rate_limits=True, trusted_proxies=proxies) as limited:
        nobody = Rest(world.http, limited.url)

        async def register(via: str) -> Answer:
            headers = {"X-Forwarded-For": via}
            return await nobody.call("POST", "/auth/register", {}, headers=headers)

        first = await register("2001:db8:7:7::1")
        assert (first.status, first.headers["X-RateLimit-Remaining"]) == (400, "49")
        answers = await asyncio.gather(*(register(f"2001:db8:7:7::{n}") for n in range(2, 42)))
        assert {answer.status for answer in answers} == {400}
        await asyncio.sleep(1.1)  # the limit over all routes
        answers = await asyncio.gather(*(register(f"2001:db8:7:7::{n}") for n in range(2, 17)))
        assert Counter(answer.status for answer in answers) == {400: 9, 429: 6}
        assert (await register("2001:db8:7:8::1")).status == 400


def used_up(key: str, used: int, valkey: embedded.Valkey) -> None:
    """Let a window have been used so much already, on some other instance."""
    with Redis.from_url(valkey.url) as redis:
        redis.hset(f"chatd:limits:{key}", mapping={"id": "elsewhere", "used": used})
        redis.pexpire(f"chatd:limits:{key}", 60_000)

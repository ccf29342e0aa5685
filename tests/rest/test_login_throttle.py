"""Login throttling: guesses are limited, and do not lock out the owner."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from ipaddress import ip_network

import pytest
from redis import Redis

from chatd.context.context import Context
from chatd.core.rate_limit_errors import RateLimited
from chatd.embedded.valkey import Valkey
from chatd.queries import users
from chatd.services.accounts import login_throttle
from chatd.web.keys import AUTHENTICATOR, DEPENDENCIES
from tests.conftest import ServeMore, Server
from tests.rest.conftest import PassTime
from tests.world import PASSWORD, TIMEOUT_S, Answer, Person, Rest, World, like

GUESSER, OWNER = "203.0.113.7", "198.51.100.20"
WRONG = "Password124!"


@pytest.fixture(scope="module")
async def behind_proxy(serve_more: ServeMore) -> AsyncIterator[Server]:
    """A server without limits on routes, which trusts X-Forwarded-For from this machine."""
    proxies = (ip_network("127.0.0.0/8"),)
    async with serve_more(worker_id=21, trusted_proxies=proxies) as server:
        yield server


async def log_in(
    world: World, server: Server, email: str, password: str, *, via: str = GUESSER
) -> Answer:
    """Log in from an address."""
    body = {"email": email, "password": password}
    headers = {"X-Forwarded-For": via}
    return await Rest(world.http, server.url).call("POST", "/auth/login", body, headers=headers)


async def test_guesses_of_one_network_do_not_slow_down_the_owner(
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
    # Even the right password is not verified now.
    assert (await log_in(world, behind_proxy, alice.email, PASSWORD)).status == 429
    assert (await log_in(world, behind_proxy, alice.email, PASSWORD, via=OWNER)).status == 200
    assert (await alice.rest.get("/users/@me"))["id"] == alice.id
    # Other accounts can still log in from the same network.
    bob = await world.person("bob")
    assert (await log_in(world, behind_proxy, bob.email, PASSWORD)).status == 200


async def test_other_spellings_of_the_address_share_the_limit(
    world: World, behind_proxy: Server
) -> None:
    alice = await world.person("alice")
    spellings = [alice.email, alice.email.upper(), alice.email.title()] * 2
    guesses = [await log_in(world, behind_proxy, email, WRONG) for email in spellings]
    assert [answer.status for answer in guesses] == [400] * 5 + [429]


async def test_concurrent_attempts_share_the_limit(world: World, behind_proxy: Server) -> None:
    alice = await world.person("alice")
    guesses = await asyncio.gather(
        *(log_in(world, behind_proxy, alice.email, WRONG) for _ in range(20))
    )
    assert Counter(answer.status for answer in guesses) == {400: 5, 429: 15}


async def test_unknown_account_has_the_same_limit(world: World, behind_proxy: Server) -> None:
    alice = await world.person("alice")
    known = [await log_in(world, behind_proxy, alice.email, WRONG) for _ in range(6)]
    unknown = [await log_in(world, behind_proxy, f"x{alice.email}", WRONG) for _ in range(6)]
    for left, right in zip(known, unknown, strict=True):
        assert left.status == right.status
        assert left.headers.keys() == right.headers.keys()
        assert left.json.keys() == right.json.keys()


async def test_right_password_does_not_count(world: World, behind_proxy: Server) -> None:
    alice = await world.person("alice")
    for _ in range(3):
        for password in (WRONG, PASSWORD, PASSWORD):
            answer = await log_in(world, behind_proxy, alice.email, password)
            assert answer.status == (200 if password == PASSWORD else 400)


async def test_attempts_of_a_network_on_all_accounts_are_limited(
    world: World, behind_proxy: Server, valkey: Valkey
) -> None:
    used_up("passwords:192.0.2.50", 98, valkey)
    emails = [f"nobody{number}@example.org" for number in range(4)]
    tries = [await log_in(world, behind_proxy, email, WRONG, via="192.0.2.50") for email in emails]
    assert [answer.status for answer in tries] == [400, 400, 429, 429]
    elsewhere = await log_in(world, behind_proxy, emails[0], WRONG, via="192.0.2.51")
    assert elsewhere.status == 400


async def test_instances_share_the_limit(
    world: World, behind_proxy: Server, serve_more: ServeMore
) -> None:
    alice = await world.person("alice")
    proxies = (ip_network("127.0.0.1"),)
    async with serve_more(worker_id=22, trusted_proxies=proxies) as other:
        servers = [behind_proxy, other] * 4
        tries = [log_in(world, server, alice.email, WRONG) for server in servers]
        counted = Counter(answer.status for answer in await asyncio.gather(*tries))
    assert counted == {400: 5, 429: 3}  # exactly


async def test_untrusted_proxy_cannot_choose_an_address(
    world: World, server: Server, valkey: Valkey
) -> None:
    alice = await world.person("alice")
    tries = [
        await log_in(world, server, alice.email, WRONG, via=f"192.0.2.{number}")
        for number in range(7)
    ]
    assert [answer.status for answer in tries] == [400] * 5 + [429] * 2


async def test_repeated_password_checks_are_counted_by_login(world: World, server: Server) -> None:
    alice = await world.person("alice")
    hashed = await hash_of(server, alice)
    thief, owner = [
        await context(server, token)
        for token in (alice.token, (await again(world, alice))["access_token"])
    ]
    for _ in range(5):
        assert not await login_throttle.verify_own_password(thief, WRONG, hashed)
    with pytest.raises(RateLimited):
        await login_throttle.verify_own_password(thief, PASSWORD, hashed)
    assert await login_throttle.verify_own_password(owner, PASSWORD, hashed)


async def again(world: World, person: Person) -> dict[str, str]:
    """Another login of the same account."""
    body = {"email": person.email, "password": PASSWORD}
    return dict(await world.anonymous.post("/auth/login", body))


async def context(server: Server, token: str) -> Context:
    """Return the context that services get."""
    app = server.runner.app
    return Context(app[DEPENDENCIES], await app[AUTHENTICATOR].authenticate(token))


async def hash_of(server: Server, person: Person) -> str:
    async with server.runner.app[DEPENDENCIES].database.cursor() as cur:
        found = await users.credentials(cur, person.email)
    assert found is not None
    return found.password_hash


async def test_invalid_tokens_are_limited_by_address(
    world: World, serve_more: ServeMore, valkey: Valkey
) -> None:
    alice = await world.person("alice")
    used_up("invalid:192.0.2.77", 9_995, valkey)
    proxies = (ip_network("127.0.0.1"),)
    headers = {"X-Forwarded-For": "192.0.2.77", "Authorization": "Bearer nonsense"}
    async with serve_more(worker_id=23, rate_limits=True, trusted_proxies=proxies) as limited:
        anonymous = Rest(world.http, limited.url)
        tries = 0
        async with asyncio.timeout(TIMEOUT_S):
            while True:  # until Redis has told this instance of the count
                answer = await anonymous.call("GET", "/users/@me", headers=headers)
                if answer.status != 401:
                    break
                tries += 1
        assert tries >= 5
        assert (answer.status, answer.json) == (429, like(message="You are being rate limited."))
        mine = await anonymous.call(
            "GET", "/users/@me", headers={**headers, "Authorization": alice.token}
        )
        assert mine.status == 200


async def test_headers_are_those_of_the_exceeded_limit(world: World, serve_more: ServeMore) -> None:
    proxies = (ip_network("127.0.0.1"),)
    async with serve_more(worker_id=25, rate_limits=True, trusted_proxies=proxies) as limited:
        email = f"{(await world.person('alice')).name}@example.net"
        tries = [await log_in(world, limited, email, WRONG) for _ in range(6)]
    limits = [answer.headers["X-RateLimit-Limit"] for answer in tries]
    assert limits == ["100"] * 5 + ["5"]
    assert tries[-1].headers["X-RateLimit-Remaining"] == "0"
    left = float(tries[-1].headers["X-RateLimit-Reset-After"])
    assert left == pytest.approx(tries[-1].json["retry_after"], abs=0.01)


async def test_registrations_are_limited_by_network(
    world: World, serve_more: ServeMore, pass_time: PassTime
) -> None:
    proxies = (ip_network("127.0.0.1"),)
    async with serve_more(worker_id=24, rate_limits=True, trusted_proxies=proxies) as limited:
        anonymous = Rest(world.http, limited.url)

        async def register(via: str) -> Answer:
            headers = {"X-Forwarded-For": via}
            return await anonymous.call("POST", "/auth/register", {}, headers=headers)

        first = await register("2001:db8:7:7::1")
        assert (first.status, first.headers["X-RateLimit-Remaining"]) == (400, "49")
        answers = await asyncio.gather(*(register(f"2001:db8:7:7::{n}") for n in range(2, 42)))
        assert {answer.status for answer in answers} == {400}
        pass_time(1.1)  # the limit over all routes
        answers = await asyncio.gather(*(register(f"2001:db8:7:7::{n}") for n in range(2, 17)))
        assert Counter(answer.status for answer in answers) == {400: 9, 429: 6}
        assert (await register("2001:db8:7:8::1")).status == 400


def used_up(key: str, used: int, valkey: Valkey) -> None:
    """Set the count of a window, as if another instance had used it."""
    with Redis.from_url(valkey.url) as redis:
        redis.hset(f"chatd:limits:{key}", mapping={"id": "elsewhere", "used": used})
        redis.pexpire(f"chatd:limits:{key}", 60_000)

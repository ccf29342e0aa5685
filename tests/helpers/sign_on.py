"""A browser that logs in at a provider, step by step."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import aiohttp

from tests.helpers.hostile_provider import HostileProvider
from tests.helpers.rest_client import Answer, Rest
from tests.world import World

HTML = {"Accept": "text/html,application/xhtml+xml"}


@dataclass
class Browser:
    """A browser with its cookies, which are all of one server."""

    rest: Rest
    cookies: dict[str, str] = field(default_factory=dict)

    async def call(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] = {}
    ) -> Answer:
        """Send a request with the cookies, and keep those of the answer."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = {**headers, **({"Cookie": cookie} if cookie else {})}
        answer = await self.rest.call(method, path, body, headers=sent, allow_redirects=False)
        for morsel in SimpleCookie(answer.headers.get("Set-Cookie", "")).values():
            self.cookies[morsel.key] = morsel.value
        return answer

    async def begin(self, provider: str) -> dict[str, str]:
        """Begin a login; return the query with which the browser is sent to the provider."""
        answer = await self.call("GET", f"/auth/oidc/{provider}/login")
        assert answer.status == 303, answer.raw
        return query_of(answer.headers["Location"])

    async def come_back(self, provider: str, **query: str) -> Answer:
        """Come back from a provider with these parameters."""
        path = f"/auth/oidc/{provider}/callback?{urlencode(query)}"
        return await self.call("GET", path, headers=HTML)

    async def log_in(self, at: HostileProvider, provider: str, **claims: Any) -> Answer:
        """Log in as a person with these claims; return the answer of the server."""
        sent = await self.begin(provider)
        at.claims = {"nonce": sent["nonce"], **claims}
        return await self.come_back(provider, code="a-code", state=sent["state"])

    async def exchange(self, answer: Answer) -> Answer:
        """Exchange the code in the address to which the server has sent the browser."""
        return await self.call("POST", "/auth/oidc/token", {"code": code_in(answer)})

    async def tokens(self, at: HostileProvider, provider: str, **claims: Any) -> Any:
        """Log in as a person with these claims, and return the new login."""
        answer = await self.exchange(await self.log_in(at, provider, **claims))
        assert answer.status == 200, answer.raw
        return answer.json


def query_of(url: str) -> dict[str, str]:
    """Return the query of an address."""
    return dict(parse_qsl(urlsplit(url).query))


def code_in(answer: Answer) -> str:
    """Return the code in the fragment of the address to which a browser is sent."""
    assert answer.status == 303, answer.raw
    fragment = urlsplit(answer.headers["Location"]).fragment
    assert fragment.startswith("sso=")
    return fragment.removeprefix("sso=")


@asynccontextmanager
async def browsing_at(url: str) -> AsyncIterator[Browser]:
    """Open a browser without cookies for a server."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        yield Browser(Rest(http, url))


def person(name: str) -> dict[str, Any]:
    """Return the claims of a new person."""
    return {"sub": f"sub of {name}", "preferred_username": name, "email": f"{name}@acme.example"}


def as_caller(world: World, tokens: Any) -> Rest:
    """Return a caller of the API with the tokens of a login."""
    return Rest(world.anonymous.http, world.anonymous.url, tokens["access_token"])

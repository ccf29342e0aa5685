"""OpenID providers with real keys that do what a test says, also what no provider may do."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web
from joserfc import jws
from joserfc.jwk import ECKey, KeySet, RSAKey

from chatd.oidc_settings import ProviderOptions, ProviderSettings
from tests.helpers.endpoints import serving_urls

SECRET = "a secret/with+signs of%a client"
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
Answerer = Callable[[web.Request], Any]


def sign(claims: dict[str, Any], key: Any, **header: Any) -> str:
    """Return a signed token."""
    algorithm = "RS256" if isinstance(key, RSAKey) else "ES256"
    head = {"alg": algorithm, "kid": key.kid, **header}
    return jws.serialize_compact(head, json.dumps(claims).encode(), key, algorithms=[head["alg"]])


def new_key(kid: str) -> ECKey:
    """Return a new key pair."""
    return ECKey.generate_key("P-256", {"kid": kid, "use": "sig"}, private=True)


def at_hash(access_token: str) -> str:
    """Return the claim of an access token, for algorithms with SHA-256."""
    digest = hashlib.sha256(access_token.encode()).digest()
    return base64.urlsafe_b64encode(digest[:16]).decode().rstrip("=")


@dataclass
class HostileProvider:
    """Several providers on one server: each first part of a path is one, with its own issuer."""

    url: str = ""
    keys: list[Any] = field(default_factory=lambda: [new_key("first")])
    claims: dict[str, Any] = field(default_factory=dict)
    """The claims of the next ID tokens; those that a test does not give are right."""
    userinfo: dict[str, Any] = field(default_factory=dict)
    overrides: dict[str, Answerer] = field(default_factory=dict)
    """Handlers of paths, by their last part, which the provider calls instead of its own."""
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """The last part of the path of each request, and its form."""
    nonce_of_code: bool = False
    """Whether the code is the nonce, so that several browsers can log in at once."""
    id_token: Callable[[dict[str, Any]], str] | None = None
    """Makes an ID token from its claims."""

    def reset(self) -> None:
        """Be a good provider again."""
        self.keys, self.claims, self.userinfo = [new_key("first")], {}, {}
        self.overrides, self.id_token, self.nonce_of_code = {}, None, False
        self.requests.clear()

    def settings(self, name: str, **options: Any) -> ProviderSettings:
        """Return settings for one of the providers."""
        options = {"issuer": f"{self.url}/{name}", "client_id": "chatd", **options}
        return ProviderSettings(name, ProviderOptions(**options), SECRET)

    def logout_token(self, name: str, **claims: Any) -> str:
        """Return a logout token; a claim of None is left out."""
        now = int(time.time())
        found = {
            "iss": f"{self.url}/{name}",
            "aud": "chatd",
            "iat": now,
            "exp": now + 120,
            "jti": base64.b64encode(hashlib.sha256(str(time.time_ns()).encode()).digest()).decode(),
            "events": {LOGOUT_EVENT: {}},
            **claims,
        }
        given = {name: value for name, value in found.items() if value is not None}
        return sign(given, self.keys[-1], typ="logout+jwt")

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request."""
        _, name, *_, last = request.path.split("/")
        form = dict(parse_qsl(await request.text()))
        self.requests.append((last, form))
        if last in self.overrides:
            answer = self.overrides[last](request)
            response: web.StreamResponse = await answer if asyncio.iscoroutine(answer) else answer
            return response
        return web.json_response(self._answer(f"{self.url}/{name}", last, form))

    def _answer(self, issuer: str, last: str, form: dict[str, str]) -> Any:
        if last == "openid-configuration":
            return self.metadata(issuer)
        if last == "keys":
            return KeySet(self.keys).as_dict(private=False)
        if last == "userinfo":
            return {"sub": self.claims.get("sub", "someone"), **self.userinfo}
        assert last == "token", last
        return {
            "id_token": self._id_token(issuer, form["code"]),
            "access_token": f"access {form['code']}".replace(" ", "-"),
            "token_type": "Bearer",
        }

    def metadata(self, issuer: str) -> dict[str, Any]:
        """Return the metadata of a provider."""
        return {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize?theme=dark",
            "token_endpoint": f"{issuer}/token",
            "jwks_uri": f"{issuer}/keys",
            "userinfo_endpoint": f"{issuer}/userinfo",
        }

    def count(self, last: str) -> int:
        """Return how often paths with this last part were requested."""
        return [each for each, _ in self.requests].count(last)

    def _id_token(self, issuer: str, code: str) -> str:
        now = int(time.time())
        claims = {
            "iss": issuer,
            "aud": "chatd",
            "sub": "someone",
            "iat": now,
            "exp": now + 300,
            **({"nonce": code} if self.nonce_of_code else {}),
            **self.claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        return (self.id_token or (lambda each: sign(each, self.keys[-1])))(claims)


@asynccontextmanager
async def hostile_provider() -> AsyncIterator[HostileProvider]:
    """Run the providers."""
    provider = HostileProvider()
    async with serving_urls(provider.handle) as url:
        provider.url = url
        yield provider

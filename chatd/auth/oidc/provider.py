"""A provider over HTTP: metadata, keys, tokens and claims, each limited in time and size.

Redirects are not followed, answers are bounded, and nothing of them is logged or shown but the
names of errors.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import orjson

from chatd.auth.oidc import metadata, tokens
from chatd.auth.oidc.metadata import Metadata
from chatd.auth.oidc.shared_fetch import SharedFetch
from chatd.auth.oidc.tokens import InvalidIdToken, UnknownKey
from chatd.http_client.client import Answer, HttpClient, HttpClientError
from chatd.oidc_settings import ProviderSettings

MAX_ANSWER: Final = 2**20
"""Bytes of an answer of a provider that are read."""

_TIMEOUT_S: Final = 10.0
"""For each request to a provider. A person waits for up to three of them."""

_LIFETIME_S = 3600.0
"""How long metadata and keys are kept. A provider publishes a new key before it uses it."""

_MAX_AGE_S = 86400.0
"""How long they are used when the provider does not answer."""

_RETRY_S = 10.0
"""How long a failure is kept."""

_KEYS_EVERY_S = 60.0
"""How often the keys are fetched for a token with an unknown one. Anyone can send such a token."""

_MAX_MARKS = 20_000
"""Values in an answer. Parsing 90,000 keys blocked the event loop for 80 ms."""

_MAX_REQUESTS = 50
"""Requests to a provider that run at once, so that a slow one does not collect all of them."""


class ProviderUnavailable(Exception):
    """The provider does not answer, or not as one; the message says why, for the operator."""


class CodeRefused(Exception):
    """The provider does not accept the authorization code; the message has its error code."""


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """The tokens of a login at the provider."""

    id_token: str = field(repr=False)
    access_token: str = field(repr=False)


class Provider:
    """A provider. `within` may send requests to private addresses, `outside` not.

    `public_url` is that of this server, to which browsers come back.
    """

    def __init__(
        self,
        settings: ProviderSettings,
        public_url: str,
        *,
        within: HttpClient,
        outside: HttpClient,
    ) -> None:
        self.settings = settings
        self.redirect_uri = f"{public_url}/auth/oidc/{settings.name}/callback"
        self._within = within
        self._outside = outside
        self._running = 0
        self.forget()

    def forget(self) -> None:
        """Fetch metadata and keys again before they are used."""
        self._metadata: SharedFetch[Metadata] = SharedFetch(
            self._fetch_metadata,
            ProviderUnavailable,
            lifetime_s=_LIFETIME_S,
            retry_s=_RETRY_S,
            max_age_s=_MAX_AGE_S,
        )
        self._keys: SharedFetch[list[dict[str, Any]]] = SharedFetch(
            self._fetch_keys,
            ProviderUnavailable,
            lifetime_s=_LIFETIME_S,
            retry_s=_RETRY_S,
            max_age_s=_MAX_AGE_S,
        )

    async def metadata(self) -> Metadata:
        """Return the metadata. Raises ProviderUnavailable."""
        return await self._metadata.get()

    async def keys(self) -> list[dict[str, Any]]:
        """Return the keys. Raises ProviderUnavailable."""
        return await self._keys.get()

    async def authorization_url(self, *, state: str, nonce: str, code_verifier: str) -> str:
        """Return where the browser goes to log in. Raises ProviderUnavailable."""
        endpoint = (await self.metadata()).authorization_endpoint
        options = self.settings.options
        query = {
            "response_type": "code",
            "client_id": options.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": " ".join(options.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": _challenge(code_verifier),
            "code_challenge_method": "S256",
        }
        separator = "&" if urlsplit(endpoint).query else "?"
        return f"{endpoint}{separator}{urlencode(query)}"

    async def exchange(self, code: str, code_verifier: str) -> TokenAnswer:
        """Exchange an authorization code for tokens. Raises ProviderUnavailable, CodeRefused."""
        found = await self.metadata()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": code_verifier,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        self._authenticate(found, form, headers)
        answer = await self._send("POST", found.token_endpoint, headers, urlencode(form).encode())
        document = _document(answer)
        if answer.status in (400, 401, 403):
            raise CodeRefused(_error_code(document.get("error")))
        _require_ok(answer, "the token endpoint")
        id_token, access_token = document.get("id_token"), document.get("access_token")
        if not isinstance(id_token, str) or not isinstance(access_token, str):
            raise ProviderUnavailable("the token endpoint answers without tokens")
        if not access_token.isascii() or not access_token.isprintable():
            raise ProviderUnavailable("the token endpoint answers with a malformed token")
        return TokenAnswer(id_token, access_token)

    async def userinfo(self, access_token: str, subject: str) -> dict[str, Any]:
        """Return more claims about a subject; none if the provider has no endpoint for them.

        Raises ProviderUnavailable.
        """
        endpoint = (await self.metadata()).userinfo_endpoint
        if endpoint is None:
            return {}
        answer = await self._send("GET", endpoint, {"Authorization": f"Bearer {access_token}"})
        _require_ok(answer, "the userinfo endpoint")
        document = _document(answer)
        if document.get("sub") != subject:  # rule: OpenID Connect Core, 5.3.2
            raise ProviderUnavailable("the userinfo endpoint answers about another person")
        return document

    async def id_claims(self, answer: TokenAnswer, nonce: str) -> dict[str, Any]:
        """Return the claims of an ID token. Raises InvalidIdToken, ProviderUnavailable."""
        header, claims = await self._verified(answer.id_token)
        tokens.check_id_token(
            header,
            claims,
            issuer=self.settings.issuer,
            client_id=self.settings.options.client_id,
            nonce=nonce,
            access_token=answer.access_token,
            now=time.time(),
        )
        return claims

    async def logout_claims(self, token: str) -> dict[str, Any]:
        """Return the claims of a logout token. Raises InvalidIdToken, ProviderUnavailable."""
        header, claims = await self._verified(token)
        tokens.check_logout_token(
            header,
            claims,
            issuer=self.settings.issuer,
            client_id=self.settings.options.client_id,
            now=time.time(),
        )
        return claims

    async def _verified(self, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
        algorithms = self.settings.options.algorithms
        try:
            return tokens.verify(token, await self.keys(), algorithms)
        except UnknownKey:
            fresh = await self._keys.refreshed(at_most_every_s=_KEYS_EVERY_S)
            return tokens.verify(token, fresh, algorithms)

    def _authenticate(self, found: Metadata, form: dict[str, str], headers: dict[str, str]) -> None:
        """Add the client and its secret to a request. Rule: RFC 6749, 2.3.1."""
        client_id, secret = self.settings.options.client_id, self.settings.client_secret
        if secret and not found.posts_secret:
            pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
            return
        form["client_id"] = client_id
        if secret:
            form["client_secret"] = secret

    async def _fetch_metadata(self) -> Metadata:
        answer = await self._send("GET", metadata.discovery_url(self.settings.issuer), {})
        _require_ok(answer, "its metadata")
        try:
            return metadata.parse(_document(answer), self.settings.issuer)
        except ValueError as error:
            raise ProviderUnavailable(str(error)) from error

    async def _fetch_keys(self) -> list[dict[str, Any]]:
        answer = await self._send("GET", (await self.metadata()).jwks_uri, {})
        _require_ok(answer, "its key document")
        if keys := tokens.usable_keys(_document(answer)):
            return keys
        raise ProviderUnavailable("its key document has no usable keys")

    async def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> Answer:
        if self._running >= _MAX_REQUESTS:
            raise ProviderUnavailable("too many requests wait for it")
        is_own = metadata.is_at_issuer(url, self.settings.issuer)
        client = self._within if is_own else self._outside
        self._running += 1
        try:
            return await client.request(
                method,
                url,
                {"Accept": "application/json", **headers},
                body=body,
                timeout_s=_TIMEOUT_S,
                max_bytes=MAX_ANSWER,
            )
        except HttpClientError as error:
            raise ProviderUnavailable(f"it cannot be reached ({error})") from error
        finally:
            self._running -= 1


class Providers:
    """All providers of the settings, by their names. `public_url` is that of this server."""

    def __init__(self, settings: Sequence[ProviderSettings], public_url: str) -> None:
        self.public_url = public_url
        self._within = HttpClient(allow_private=True)
        self._outside = HttpClient()
        self._providers = {
            each.name: Provider(each, public_url, within=self._within, outside=self._outside)
            for each in settings
        }

    def __iter__(self) -> Iterator[Provider]:
        return iter(self._providers.values())

    def get(self, name: str) -> Provider | None:
        """Return the provider with a name."""
        return self._providers.get(name)

    async def close(self) -> None:
        """Close all connections."""
        await self._within.close()
        await self._outside.close()


def _challenge(code_verifier: str) -> str:
    digest = hashlib.sha256(code_verifier.encode()).digest()  # rule: RFC 7636, 4.2
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _document(answer: Answer) -> dict[str, Any]:
    """Return the JSON object of an answer. Raises ProviderUnavailable."""
    if sum(map(answer.body.count, (b",", b"[", b"{"))) > _MAX_MARKS:
        raise ProviderUnavailable("it answers with too many values")
    try:
        found = orjson.loads(answer.body)
    except orjson.JSONDecodeError as error:
        raise ProviderUnavailable(f"it answers {answer.status} without JSON") from error
    if not isinstance(found, dict):
        raise ProviderUnavailable(f"it answers {answer.status} without a JSON object")
    return found


def _require_ok(answer: Answer, what: str) -> None:
    if answer.status != 200:
        raise ProviderUnavailable(f"{what} answers {answer.status}")


def _error_code(error: object) -> str:
    """Return an error code of OAuth, which is short and plain; otherwise nothing of it."""
    if isinstance(error, str) and len(error) <= 40 and error.replace("_", "").isalnum():
        return error if error.isascii() else "unknown"
    return "unknown"


__all__ = [
    "CodeRefused",
    "InvalidIdToken",
    "Provider",
    "ProviderUnavailable",
    "Providers",
    "TokenAnswer",
]

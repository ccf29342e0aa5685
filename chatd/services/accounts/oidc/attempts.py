"""Sending a browser to a provider, and verifying the answer that it comes back with.

The state, the nonce and the code verifier of an attempt are random, are used once and within ten
minutes, and belong to one browser: the server gives it a cookie, and stores only hashes of the
cookie and the state. So an answer that an attacker got with another browser is refused.
Rules: OpenID Connect Core 1.0, 3.1; RFC 7636 (PKCE); RFC 9207 (issuer); RFC 9700, 2.1 and 4.7.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from dataclasses import dataclass, field

from chatd.auth.oidc.provider import CodeRefused, Provider, ProviderUnavailable
from chatd.auth.oidc.tokens import InvalidIdToken
from chatd.context.dependencies import Dependencies
from chatd.core.errors import (
    InvalidAttempt,
    InvalidProviderAnswer,
    ProviderMfaRequired,
    ProviderRefused,
    ProviderUnavailableNow,
    UnknownProvider,
)
from chatd.core.ids import LoginId, UserId
from chatd.queries import oidc_logins as queries
from chatd.queries.oidc_logins import Attempt
from chatd.services.accounts.oidc import person
from chatd.services.accounts.oidc.person import Person
from chatd.wire.schemas.oidc import Callback

log = logging.getLogger(__name__)

LIFETIME_S = 600
"""How long a person may take at the provider, with a new password there and a second factor."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A new attempt: where the browser goes, and the secret that it keeps in a cookie."""

    url: str = field(repr=False)
    browser: str = field(repr=False)


def get_provider(dependencies: Dependencies, name: str) -> Provider:
    """Return a provider. Raises UnknownProvider."""
    provider = dependencies.providers.get(name)
    if provider is None:
        raise UnknownProvider
    return provider


def hashed(secret: str) -> bytes:
    """Return the form in which a secret of a browser is stored."""
    return hashlib.sha256(secret.encode()).digest()


async def begin(
    dependencies: Dependencies,
    provider: Provider,
    browser: str | None,
    *,
    user_id: UserId | None = None,
    login_id: LoginId | None = None,
) -> Begun:
    """Begin a login, or with a caller the linking of its account.

    `browser` is the secret that the browser has of an earlier attempt: with a new one, an attempt
    in another tab would fail. Raises ProviderUnavailableNow, ServiceUnavailable.
    """
    browser = browser or secrets.token_urlsafe(32)
    state = secrets.token_urlsafe(32)
    attempt = Attempt(secrets.token_urlsafe(32), secrets.token_urlsafe(48), user_id, login_id)
    try:
        url = await provider.authorization_url(
            state=state, nonce=attempt.nonce, code_verifier=attempt.code_verifier
        )
    except ProviderUnavailable as error:
        raise _unavailable(provider, error) from error
    async with dependencies.database.cursor() as cur:
        await queries.insert_attempt(
            cur,
            hashed(state),
            hashed(browser),
            provider.settings.issuer,
            attempt,
            lifetime_s=LIFETIME_S,
        )
    return Begun(url, browser)


async def finish(
    dependencies: Dependencies, provider: Provider, browser: str | None, callback: Callback
) -> tuple[Attempt, Person]:
    """Use up an attempt, and return the person that the provider says has logged in.

    Raises InvalidAttempt, ProviderRefused, InvalidProviderAnswer, ProviderMfaRequired,
    ProviderUnavailableNow, ServiceUnavailable.
    """
    issuer = provider.settings.issuer
    if not browser or not callback.state:
        raise InvalidAttempt
    async with dependencies.database.cursor() as cur:
        attempt = await queries.consume_attempt(
            cur, hashed(callback.state), hashed(browser), issuer
        )
    if attempt is None:
        raise InvalidAttempt
    try:
        found = await _person(provider, attempt, callback)
    except ProviderUnavailable as error:
        raise _unavailable(provider, error) from error
    except (CodeRefused, InvalidIdToken) as error:
        log.warning("an answer of the provider %s is refused: %s", provider.settings.name, error)
        raise InvalidProviderAnswer from error
    if provider.settings.options.require_mfa and not found.has_mfa:
        raise ProviderMfaRequired
    return attempt, found


async def _person(provider: Provider, attempt: Attempt, callback: Callback) -> Person:
    settings = provider.settings
    names_issuer = (await provider.metadata()).names_issuer
    if callback.iss != settings.issuer and (callback.iss or names_issuer):
        raise InvalidIdToken("the answer is of another issuer")
    if callback.error or not callback.code:
        raise ProviderRefused
    answer = await provider.exchange(callback.code, attempt.code_verifier)
    claims = await provider.id_claims(answer, attempt.nonce)
    more = {}
    if person.lacks_claims(claims, settings.options):
        more = await provider.userinfo(answer.access_token, claims["sub"])
    return person.read(claims, more, settings.options)


def _unavailable(provider: Provider, error: ProviderUnavailable) -> ProviderUnavailableNow:
    log.warning("the provider %s is not available: %s", provider.settings.name, error)
    return ProviderUnavailableNow()

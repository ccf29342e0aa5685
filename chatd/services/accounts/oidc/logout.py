"""Back-channel logout: a provider ends the logins that it opened.

Rule: OpenID Connect Back-Channel Logout 1.0, 2.6 and 2.7.
"""

from __future__ import annotations

import hashlib
import logging

from chatd.auth.oidc import tokens
from chatd.auth.oidc.provider import Provider, ProviderUnavailable
from chatd.auth.oidc.tokens import CLOCK_SKEW_S, LOGOUT_LIFETIME_S, InvalidIdToken
from chatd.context.dependencies import Dependencies
from chatd.core.errors import InvalidLogoutToken, ProviderUnavailableNow
from chatd.queries import oidc_logins as queries
from chatd.services.accounts.revocation import revoke

log = logging.getLogger(__name__)

_REMEMBERED_S = LOGOUT_LIFETIME_S + 2 * CLOCK_SKEW_S
"""How long the id of a token is remembered: longer than the token can be used."""


async def log_out(dependencies: Dependencies, provider: Provider, token: str) -> None:
    """End the logins that a logout token names: those of a session, or all of a subject.

    Their tokens and gateway sessions end at once, on every instance. A token works once. Raises
    InvalidLogoutToken, ProviderUnavailableNow, ServiceUnavailable.
    """
    name, issuer = provider.settings.name, provider.settings.issuer
    try:
        claims = await provider.logout_claims(token)
        subject = tokens.text_claim(claims, "sub") if "sub" in claims else None
        session_id = tokens.text_claim(claims, "sid") if "sid" in claims else None
    except InvalidIdToken as error:
        log.warning("a logout token of the provider %s is refused: %s", name, error)
        raise InvalidLogoutToken from error
    except ProviderUnavailable as error:
        log.warning("the provider %s is not available: %s", name, error)
        raise ProviderUnavailableNow from error
    token_hash = hashlib.sha256(claims["jti"].encode()).digest()
    async with dependencies.database.cursor() as cur:
        user_ids = await queries.users_to_log_out(cur, issuer, subject, session_id)
    async with dependencies.begin() as work:
        await work.ensure_and_lock(*user_ids)
        # In the same transaction: a token is used up only if the logins have ended.
        is_new = await queries.use_logout_token(
            work.cur, issuer, token_hash, lifetime_s=_REMEMBERED_S
        )
        if not is_new:
            log.warning("a logout token of the provider %s is refused: it was used", name)
            raise InvalidLogoutToken
        for user_id in user_ids:
            ended = await queries.logins_to_end(work.cur, user_id, issuer, subject, session_id)
            await revoke(work, user_id, ended)

"""Checking passwords so that guessing them is slow, and locks nobody out.

Wrong passwords are counted for each account and network together, and for each network over all
accounts. Never for an account alone: whoever knows its address could keep its owner out. An owner
elsewhere is not slowed down by a guesser here, and who is logged in stays so. Accounts that do not
exist are counted alike, and their check takes as long.
Rule: OWASP Authentication Cheat Sheet, "Protect Against Automated Attacks", "Account Lockout".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from chatd.context import Context, Resources
from chatd.ephemeral import headers
from chatd.ephemeral.windows import Limit

_PER_MINUTE = Limit(5, 60.0, "passwords by minute", exact=True)
_PER_HOUR = Limit(20, 3600.0, "passwords by hour", exact=True)
_OF_NETWORK = Limit(100, 3600.0, "passwords by network", exact=True)


async def is_login(
    resources: Resources, network: str, email_key: str, password: str, hashed: str | None
) -> bool:
    """Whether this is the password of the account with this address; None if there is none.

    Raises RateLimited, Busy.
    """
    name = hashlib.sha256(email_key.encode()).hexdigest()[:32]  # no address is kept in Redis
    counters = [
        (_OF_NETWORK, f"passwords:{network}"),
        (_PER_HOUR, f"passwords:hour:{name}:{network}"),
        (_PER_MINUTE, f"passwords:minute:{name}:{network}"),
    ]
    return await _verify(resources, counters, password, hashed)


async def is_own(ctx: Context, password: str, hashed: str | None) -> bool:
    """Whether this is the password of the caller, whose hash is given: for what needs it again.

    Counted for each login by itself, so that a stolen token is of no use for guessing, and does not
    keep the owner from changing the password with another. Raises RateLimited, Busy.
    """
    login_id = ctx.caller.login_id
    counters = [
        (_PER_HOUR, f"passwords:hour:{ctx.user.id}:{login_id}"),
        (_PER_MINUTE, f"passwords:minute:{ctx.user.id}:{login_id}"),
    ]
    return await _verify(ctx.resources, counters, password, hashed)


async def _verify(
    resources: Resources,
    counters: Iterable[tuple[Limit, str]],
    password: str,
    hashed: str | None,
) -> bool:
    """Count first, so that many at once are no way around it; what was no guess is given back."""
    limits = resources.rate_limits
    taken: list[tuple[Limit, str]] = []
    is_guess = False
    try:
        for limit, key in counters:
            verdict = await limits.wait_for_hit(limit, key)
            if not verdict.granted:
                raise headers.refusal(verdict, headers.bucket_id(limit.bucket))
            taken.append((limit, key))
        is_guess = not await resources.passwords.verify(password, hashed)
        return not is_guess
    finally:
        if not is_guess:
            for limit, key in taken:
                limits.give_back(limit, key)

"""Login throttling: verifies passwords at a limited rate, without locking out the owner.

Wrong passwords are counted for each pair of account and network, and for each network over all
accounts. They are not counted for an account alone: an attacker could then lock out its owner. So
guesses from one network do not affect logins from another one, or existing logins. Unknown accounts
are counted in the same way, and verification takes the same time.
Rule: OWASP Authentication Cheat Sheet, "Protect Against Automated Attacks", "Account Lockout".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from chatd.context.context import Context
from chatd.context.dependencies import Dependencies
from chatd.ratelimit import headers
from chatd.ratelimit.window import Limit

# Wrong passwords. A user that mistypes needs few attempts. The hourly limits permit one network 480
# guesses a day for one account, and 2,400 for all accounts.
_PER_MINUTE = Limit(5, 60.0, "passwords by minute", exact=True)
_PER_HOUR = Limit(20, 3600.0, "passwords by hour", exact=True)
_PER_NETWORK = Limit(100, 3600.0, "passwords by network", exact=True)


async def verify_login(
    dependencies: Dependencies, network: str, email_key: str, password: str, hashed: str | None
) -> bool:
    """Return whether a password matches the hash of the account with this address.

    `hashed` is None if there is no such account.

    Raises RateLimited, ServiceUnavailable.
    """
    name = hashlib.sha256(email_key.encode()).hexdigest()[
        :32
    ]  # so that Redis contains no addresses
    counters = [
        (_PER_NETWORK, f"passwords:{network}"),
        (_PER_HOUR, f"passwords:hour:{name}:{network}"),
        (_PER_MINUTE, f"passwords:minute:{name}:{network}"),
    ]
    return await _verify_throttled(dependencies, counters, password, hashed)


async def verify_own_password(ctx: Context, password: str, hashed: str | None) -> bool:
    """Return whether a password matches the caller's hash, for requests that require it again.

    Attempts are counted for each login. So a stolen token does not help to guess the password, and
    does not prevent the owner from changing it with another login. Raises RateLimited,
    ServiceUnavailable.
    """
    login_id = ctx.caller.login_id
    counters = [
        (_PER_HOUR, f"passwords:hour:{ctx.user.id}:{login_id}"),
        (_PER_MINUTE, f"passwords:minute:{ctx.user.id}:{login_id}"),
    ]
    return await _verify_throttled(ctx.dependencies, counters, password, hashed)


async def _verify_throttled(
    dependencies: Dependencies,
    counters: Iterable[tuple[Limit, str]],
    password: str,
    hashed: str | None,
) -> bool:
    """Verify a password within limits. Only wrong passwords count.

    Attempts are counted before they are verified, so that concurrent ones cannot exceed a limit.
    All but wrong passwords are refunded.
    """
    limits = dependencies.rate_limits
    taken: list[tuple[Limit, str]] = []
    is_guess = False
    try:
        for limit, key in counters:
            decision = await limits.hit_shared(limit, key)
            if not decision.granted:
                raise headers.rate_limited(decision, headers.bucket_id(limit.bucket))
            taken.append((limit, key))
        is_guess = not await dependencies.passwords.verify(password, hashed)
        return not is_guess
    finally:
        if not is_guess:
            for limit, key in taken:
                limits.refund(limit, key)

"""Login throttling: verifies passwords and codes at a limited rate, without locking out the owner.

Wrong passwords are counted for each pair of account and network, and for each network over all
accounts. They are not counted for an account alone: an attacker could then lock out its owner. So
guesses from one network do not affect logins from another one, or existing logins. Unknown accounts
are counted in the same way, and verification takes the same time.
Rule: OWASP Authentication Cheat Sheet, "Protect Against Automated Attacks", "Account Lockout".
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterable

from chatd.context.context import Context
from chatd.context.dependencies import Dependencies
from chatd.core.ids import UserId
from chatd.ratelimit import headers
from chatd.ratelimit.window import Limit

# Wrong passwords. A user that mistypes needs few attempts. The hourly limits permit one network 480
# guesses a day for one account, and 2,400 for all accounts.
_PER_MINUTE = Limit(5, 60.0, "passwords by minute", exact=True)
_PER_HOUR = Limit(20, 3600.0, "passwords by hour", exact=True)
_PER_NETWORK = Limit(100, 3600.0, "passwords by network", exact=True)

# Wrong second factors. A client that guesses codes at the login knows the password: they are
# counted for the account alone. Of 480 guesses a day, each is right with a probability of 3 in a
# million. Passkeys cannot be guessed, and keep working.
_CODES_PER_ACCOUNT = Limit(20, 3600.0, "codes by account", exact=True)
_CODES_PER_LOGIN = Limit(20, 3600.0, "codes by login", exact=True)
_FACTORS_PER_NETWORK = Limit(100, 3600.0, "factors by network", exact=True)


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
    return await _attempt(dependencies, counters, _verify(dependencies, password, hashed))


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
    return await _attempt(ctx.dependencies, counters, _verify(ctx.dependencies, password, hashed))


async def verify_factor(
    dependencies: Dependencies, user_id: UserId, network: str, attempt: Attempt, *, is_code: bool
) -> bool:
    """Return what `attempt` returns: whether a second factor is right, for a login.

    Raises RateLimited, and what `attempt` raises.
    """
    counters = [(_FACTORS_PER_NETWORK, f"factors:{network}")]
    if is_code:
        counters.append((_CODES_PER_ACCOUNT, f"codes:{user_id}"))
    return await _attempt(dependencies, counters, attempt)


async def verify_own_factor(ctx: Context, attempt: Attempt, *, is_code: bool) -> bool:
    """Return whether a second factor is right, for a sensitive action of the caller.

    Codes are counted for each login, as in `verify_own_password`: a stolen token needs no password,
    and does not keep the owner out. Raises RateLimited, and what `attempt` raises.
    """
    key = f"codes:{ctx.user.id}:{ctx.caller.login_id}"
    counters = [(_CODES_PER_LOGIN, key)] if is_code else []
    return await _attempt(ctx.dependencies, counters, attempt)


Attempt = Callable[[], Awaitable[bool]]


def _verify(dependencies: Dependencies, password: str, hashed: str | None) -> Attempt:
    return lambda: dependencies.passwords.verify(password, hashed)


async def _attempt(
    dependencies: Dependencies, counters: Iterable[tuple[Limit, str]], attempt: Attempt
) -> bool:
    """Verify a password or a factor within limits. Only wrong ones count.

    Attempts are counted before they are verified, so that concurrent ones cannot exceed a limit.
    All but wrong ones are refunded.
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
        is_guess = not await attempt()
        return not is_guess
    finally:
        if not is_guess:
            for limit, key in taken:
                limits.refund(limit, key)

"""Limits of IDENTIFY per account: `session_start_limit` of GET /gateway/bot.

Rule: Discord docs, Gateway, "Session Start Limit Object". Resuming is not counted.
"""

from __future__ import annotations

from dataclasses import replace

from chatd.core.ids import UserId
from chatd.ratelimit.limiter import RateLimits
from chatd.ratelimit.window import Decision, Limit

PER_DAY = Limit(1000, 86_400.0)
"""The IDENTIFYs of an account, as `session_start_limit` states. Rule: Discord's limit."""

MAX_CONCURRENCY = Limit(16, 5.0)
"""`max_concurrency`. It is the same for people: all programs of one person may reconnect at once
after a restart of the server."""


async def remaining_today(limits: RateLimits, user_id: UserId) -> Decision:
    """Return how many IDENTIFYs an account has left today, without counting one."""
    key = f"identify:day:{user_id}"
    decision = await limits.hit_shared(PER_DAY, key)
    if not decision.granted:
        return decision
    limits.refund(PER_DAY, key)
    return replace(decision, remaining=decision.remaining + 1)


async def count_identify(limits: RateLimits, user_id: UserId) -> Decision:
    """Count an IDENTIFY. Return the decision of the first limit that refuses it, or of the last."""
    today = await limits.hit_shared(PER_DAY, f"identify:day:{user_id}")
    if not today.granted:
        return today
    return await limits.hit_shared(MAX_CONCURRENCY, f"identify:{user_id}")

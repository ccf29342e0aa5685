"""How often an account may open gateway sessions: `session_start_limit` of GET /gateway/bot.

Rule: Discord docs, Gateway, "Session Start Limit Object". Resuming is not counted.
"""

from __future__ import annotations

from chatd.core.ids import UserId
from chatd.ephemeral.rate_limits import RateLimits
from chatd.ephemeral.windows import Limit, Verdict

PER_DAY = Limit(1000, 86_400.0)
AT_ONCE = Limit(16, 5.0)
"""`max_concurrency`; also for people, whose programs all come back at once after a restart."""


async def left(limits: RateLimits, user_id: UserId) -> Verdict:
    """How often an account may still identify today; nothing is counted for asking."""
    key = f"identify:day:{user_id}"
    verdict = await limits.wait_for_hit(PER_DAY, key)
    if not verdict.granted:
        return verdict
    limits.give_back(PER_DAY, key)
    return verdict._replace(remaining=verdict.remaining + 1)


async def count(limits: RateLimits, user_id: UserId) -> Verdict:
    """Count an IDENTIFY; the verdict is that of the day's limit when that refuses."""
    today = await limits.wait_for_hit(PER_DAY, f"identify:day:{user_id}")
    if not today.granted:
        return today
    return await limits.wait_for_hit(AT_ONCE, f"identify:{user_id}")

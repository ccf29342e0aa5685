"""Rate limit headers and errors. Rule: Discord docs, Topics, "Rate Limits"."""

from __future__ import annotations

import hashlib
import time

from multidict import istr

from chatd.core.rate_limit_errors import RateLimited
from chatd.ratelimit.window import Decision

# The headers have milliseconds. Rounding up keeps a client that waits as long from being too early.
_ROUND_UP_S = 0.0005

# Names of headers: an `istr` is compared without regard to case at no cost.
LIMIT = istr("X-RateLimit-Limit")
REMAINING = istr("X-RateLimit-Remaining")
RESET = istr("X-RateLimit-Reset")
RESET_AFTER = istr("X-RateLimit-Reset-After")
BUCKET = istr("X-RateLimit-Bucket")

_LINES = (
    b"X-RateLimit-Limit: %d\r\n"
    b"X-RateLimit-Remaining: %d\r\n"
    b"X-RateLimit-Reset: %.3f\r\n"
    b"X-RateLimit-Reset-After: %.3f\r\n"
    b"X-RateLimit-Bucket: %b\r\n"
)


def bucket_id(name: str) -> str:
    """Return the id of a bucket for clients, which combine it with the channel or guild."""
    return hashlib.blake2b(name.encode(), digest_size=16).hexdigest()


def for_decision(decision: Decision, bucket: str) -> dict[str, str]:
    """Return the X-RateLimit headers of a response that is sent now."""
    left_s = max(decision.ends - time.monotonic(), 0) + _ROUND_UP_S
    return {
        LIMIT: str(decision.limit.requests),
        REMAINING: str(decision.remaining),
        RESET: f"{time.time() + left_s:.3f}",
        RESET_AFTER: f"{left_s:.3f}",
        BUCKET: bucket,
    }


def encoded(decision: Decision, bucket: str) -> bytes:
    """Return the lines of `for_decision` in the head of a response."""
    left_s = max(decision.ends - time.monotonic(), 0) + _ROUND_UP_S
    return _LINES % (
        decision.limit.requests,
        decision.remaining,
        time.time() + left_s,
        left_s,
        bucket.encode(),
    )


def rate_limited(decision: Decision, bucket: str) -> RateLimited:
    """Return the error for a hit that was not granted."""
    found = for_decision(decision, bucket)
    if not decision.limit.announced:
        del found[BUCKET]
    return RateLimited(decision.ends - time.monotonic(), found)


def rate_limited_globally(decision: Decision) -> RateLimited:
    """Return the error of the limit over all routes.

    It has no bucket headers: clients would take them for those of the route.
    """
    return RateLimited(decision.ends - time.monotonic(), {}, is_global=True)

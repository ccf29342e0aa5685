"""How a client is told of its windows. Rule: Discord docs, Topics, "Rate Limits"."""

from __future__ import annotations

import hashlib
import time

from chatd.core.errors import RateLimited
from chatd.ephemeral.windows import Verdict

_ROUND_UP_S = 0.0005  # a client that comes back when it was told to must not be too early


def bucket_id(name: str) -> str:
    """What a bucket is called towards clients, who add the channel or guild themselves."""
    return hashlib.blake2b(name.encode(), digest_size=16).hexdigest()


def of_verdict(verdict: Verdict, bucket: str) -> dict[str, str]:
    """The X-RateLimit headers of an answer that is sent now."""
    left_s = max(verdict.ends - time.monotonic(), 0) + _ROUND_UP_S
    return {
        "X-RateLimit-Limit": str(verdict.limit.requests),
        "X-RateLimit-Remaining": str(verdict.remaining),
        "X-RateLimit-Reset": f"{time.time() + left_s:.3f}",
        "X-RateLimit-Reset-After": f"{left_s:.3f}",
        "X-RateLimit-Bucket": bucket,
    }


def refusal(verdict: Verdict, bucket: str) -> RateLimited:
    """The answer to a hit that was not granted."""
    return RateLimited(verdict.ends - time.monotonic(), of_verdict(verdict, bucket))


def global_refusal(verdict: Verdict) -> RateLimited:
    """The same for the limit over all routes. Bucket headers would be taken for the route's."""
    return RateLimited(verdict.ends - time.monotonic(), {}, is_global=True)

"""API errors with status 429: a limit of rate or concurrency is exceeded."""

from __future__ import annotations

import math
from typing import Any

from chatd.core.errors import ApiError


class RateLimited(ApiError):
    """A rate limit is exceeded. The request may be repeated after `retry_after_s` seconds.

    Body and headers are Discord's (docs, Topics, "Rate Limits"). discord.py takes a 429 without
    Via for a ban by a proxy, and some clients fail without X-RateLimit-Limit and -Remaining.
    """

    status, message = 429, "You are being rate limited."

    def __init__(
        self, retry_after_s: float, headers: dict[str, str], *, is_global: bool = False
    ) -> None:
        super().__init__()
        self.retry_after_s = math.ceil(max(retry_after_s, 0.001) * 1000) / 1000
        self.is_global = is_global
        self._headers = headers

    def body(self) -> dict[str, Any]:
        return {
            "message": self.text,
            "retry_after": self.retry_after_s,
            "global": self.is_global,
        }

    def headers(self) -> dict[str, str]:
        headers = {
            **self._headers,
            "Retry-After": str(math.ceil(self.retry_after_s)),  # RFC 9110: whole seconds
            "X-RateLimit-Scope": "global" if self.is_global else "user",
            "Via": "1.1 chatd",
        }
        if self.is_global:
            headers["X-RateLimit-Global"] = "true"
        return headers


class TooManySockets(RateLimited):
    """An address has too many gateway connections, or too many of them violated the protocol."""

    message = "Too many connections from your address."

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(retry_after_s, {})


class SearchRunning(RateLimited):
    """A search waited too long for a running search of the same account."""

    message = "Another search of yours is running."

    def __init__(self) -> None:
        super().__init__(
            1.0,
            {
                "X-RateLimit-Limit": "1",
                "X-RateLimit-Remaining": "0",
                "X-RateLimit-Reset-After": "1.000",
            },
        )


class TooManyConcurrentRequests(RateLimited):
    """The account has the maximum number of running requests and of requests waiting for them."""

    message = "Too many of your requests are running."

    def __init__(self) -> None:
        super().__init__(1.0, {}, is_global=True)


class SlowmodeRateLimited(ApiError):
    """Slow mode: the author has to wait for `retry_after_s` seconds."""

    status, code, message = (
        429,
        20016,
        "This action cannot be performed due to slowmode rate limit",
    )

    def __init__(self, retry_after_s: float) -> None:
        super().__init__()
        self.retry_after_s = max(round(retry_after_s, 3), 0.001)

    def body(self) -> dict[str, Any]:
        return {**super().body(), "retry_after": self.retry_after_s}

    def headers(self) -> dict[str, str]:
        # discord.py takes a 429 without Via for a ban by Cloudflare (discord/http.py).
        return {
            "Retry-After": str(math.ceil(self.retry_after_s)),
            "Via": "1.1 chatd",
            "X-RateLimit-Scope": "user",
            "X-RateLimit-Limit": "1",
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset-After": str(self.retry_after_s),
        }

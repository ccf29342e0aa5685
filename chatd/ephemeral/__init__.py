"""State of all instances together that is kept nowhere for long and may be lost.

`presence` is who is online. `windows`, which is pure, is the arithmetic of rate limits;
`rate_limits` shares their counts through Redis, `headers` tells clients of them.

Of rate limits, every instance counts by itself, and reports what it has counted a moment later,
many windows in one round trip. A request waits for Redis only where counting alone could let through too much:
when its window already has `Limit.credit` requests that Redis does not know of. So N instances
together let through at most `requests + N * credit - 1` in a window (one alone: exactly
`requests`; with the 5 messages per 5 seconds, two let through 6 at the most), and a window is
shorter than promised by at most the time that a report takes. Without Redis each counts alone, so
that N instances let through N times as much.
"""

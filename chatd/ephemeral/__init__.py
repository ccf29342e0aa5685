"""State of all instances together that is kept nowhere for long and may be lost.

`presence` is who is online. `windows`, which is pure, is the arithmetic of rate limits;
`rate_limits` shares their counts through Redis, `headers` tells clients of them.

Of rate limits, every instance counts by itself, and reports what it has counted a moment later,
many windows in one round trip. A request waits for Redis only where counting alone could let too
much through: when its window already has `Limit.credit` hits that Redis does not know of. So N
instances together let through at most `requests + N * credit - 1` in a window; one alone exactly
`requests`, and so do all together where the limit is `exact`. With 5 messages in 5 seconds, two
instances let 6 through at the most. A window may be shorter than announced by the time that a
report takes. Without Redis each counts alone: N instances let through N times as much.
"""

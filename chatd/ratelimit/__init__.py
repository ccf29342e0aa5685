"""Rate limits: counted by each instance, and shared by all instances through Redis.

`window` is their arithmetic, without I/O. `limiter` shares the counts. `headers` reports them to
clients. `identify_limits` are the limits of the gateway.

Each instance counts hits locally, and reports them to Redis a moment later, many windows in one
round trip. A request waits for Redis only when its window already has `Limit.local_allowance` hits
that Redis does not know. N instances together therefore grant at most
`requests + N * local_allowance - 1` hits in a window. One instance alone grants exactly `requests`,
and so do all together where the limit is `exact`. For example, with 5 messages in 5 seconds two
instances grant at most 6.

A window may end earlier than announced, by the time that a report takes. Without Redis each
instance counts alone: N instances grant N times as much.
"""

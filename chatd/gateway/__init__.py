"""The gateway: one WebSocket after another, each served from HELLO to its close.

`handler` is the route, `connection` one socket, `commands` reads frames and `frames` writes them.
A `session` outlives its socket. The `registry` holds the sessions and, for each guild and user of
theirs, a `feed`: its events in their order and who may see them (`visibility`). The `dispatcher`
takes events from the bus to the feeds; these hand them to the `deliveries`, which bring them to
the sessions in a `batch`, each in one write; or by way of the `outboxes`, when more will follow.
`ready` starts a session without a hole between its first snapshot and the stream of events.
"""

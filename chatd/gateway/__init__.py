"""The gateway: WebSocket connections, the sessions that they serve, and the fan-out of events.

- `handler` has the routes. `connection` serves one socket from HELLO to its close, with a
  `send_queue`; `connection_table` has all connections, and `admission` limits new ones.
- `identify`, `resume` and `member_requests` handle the commands that take long. `gateway` has one
  of each per instance.
- `protocol` parses commands, and encodes frames and batches.
- `session` is what a client identified for: it outlives its connection.
- `fanout` takes events from the bus to the sessions that may see them.
- `lifecycle` starts sessions, validates resumes, and hands sessions off to other instances.
"""

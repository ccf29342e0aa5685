"""The gateway: WebSocket connections, the sessions that they serve, and the fan-out of events.

- `handler` has the routes. `connection` serves one socket from HELLO to its close, with a
  `send_queue`; `connection_table` has all connections, and `admission` limits new ones.
- `identify`, `resume` and `member_requests` handle the commands that take long. They see a
  connection as a `client_connection`. `gateway` has one of each handler per instance.
- `background` has the tasks that run as long as the gateway.
- `protocol` parses commands, and encodes frames and batches.
- `session` has the sessions. A session is the state of an identified client, and outlives its
  connection.
- `fanout` delivers the events of the bus to the sessions that may see them.
- `lifecycle` starts sessions, validates resumes, and hands sessions off to other instances.
"""

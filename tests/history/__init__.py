"""The history checker: many clients write and listen on real instances, while faults are injected.

It records every acknowledgement and every receipt. For each session that stayed valid, it checks
that every message acknowledged in its time was received once, unchanged and in the order of ids,
and that dispatches were numbered without a gap. In the database, every acknowledged message must be
stored once. An invalidated session was notified of its loss: its client starts another one.
An ephemeral message must be received by the sessions of its user, and by no other.

`record` has what was observed, and checks it. `listener` is a client, and `environment` has the
servers. `scenario` runs them with faults, and `rolling` a rolling restart. `broken` has builds of
the server with a bug that the checker must find.
"""

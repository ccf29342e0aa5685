"""Fan-out: how an event reaches the sessions that may see it.

The `dispatcher` passes each event of the bus to the `feed` of its stream. A feed puts events into
order; a `guild_feed` filters them by `visibility`, which it computes from `channel_overwrites`. The
feed adds each event to the `delivery_queue`, which passes batches of dispatches to sessions. The
`flush_scheduler` flushes the send queues of connections. The `hub` has all sessions and feeds. The
`gap_monitor` invalidates feeds with lost events, and the `membership_monitor` sessions that lack a
guild. The `event_history` keeps recent events for restored sessions; the `presence_reporter` shares
presences between instances.
"""

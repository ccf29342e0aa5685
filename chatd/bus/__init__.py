"""The bus: delivers every event to every instance, including the one that publishes it.

Each guild, private channel and user is a stream. An event has a sequence number in its stream,
which Postgres assigns under the stream's lock in the commit that caused the event. All instances
therefore see the same order, an instance may deliver its own event before Redis has it, duplicates
are recognized, and a missing event is detected: by the number of the next one, or by comparison
with Postgres.

`bus` publishes events, from the `publish_queue`. `stream_reader` reads the events of the other
instances. `interest` decides which events an instance needs, and `wakeups` when it reads. A
`subscription` is the queue of received events. A `reorder_buffer` restores the order of one stream.
`codec` encodes entries of Redis streams.
"""

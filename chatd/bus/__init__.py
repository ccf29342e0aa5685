"""The bus: brings every event to every instance, this one too.

An event of a guild (or private channel, or user) carries its place in the order of that stream,
given by Postgres under the stream's lock at the commit that caused it. So the order is the same
everywhere, an event may be delivered here before Redis has seen it, duplicates are known, and a
gap is told: by the next event, or by comparing with Postgres.

`bus` publishes; `reader` hears the other instances, and a `subscription` is what has arrived, for
the one who delivers it; `order` puts one stream's events into their order.
"""

"""Fan-out: how an event reaches the sessions that may see it.

The `dispatcher` passes each event of the bus to the `feed` of its stream. A feed puts events into
order; a `guild_feed` filters them by `visibility`, which it computes from `channel_overwrites`. The
feed adds each event to the `delivery_queue`, which passes batches of dispatches to sessions. The
`flush_scheduler` flushes the send queues of connections. The `hub` has all sessions and feeds.

- A guild: `local_members` has the roles of members with sessions here, and `visible_channels` what
  an event changes for them. The `audience_cache` keeps the recipients of a channel. Parts of
  GUILD_CREATE are kept encoded by `guild_payloads` and `encoded_guild`. `time_slicing` builds and
  encodes large guilds.
- Losses: the `gap_monitor` invalidates feeds with lost events. The `membership_monitor` invalidates
  sessions that lack a guild. The sessions of `ended_feeds` are handled in time slices. The
  `event_history` keeps recent events for restored sessions. `replay_shedding` clears replay
  buffers that exceed their budget.
- Presences: the `presence_reporter` shares them between instances. Their recipients in a guild are
  selected by `presence_deliveries`, and `friend_presences` sends those of friends. The
  `restored_presences` are those that changed before a session was restored; `known_presences` are
  what its client has received.
- Lists for user clients: `member_lists` with `guild_lists` and `listed_members`, and
  `session_lists` with `sessions_elsewhere`.
"""

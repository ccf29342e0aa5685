"""Messages: sending with group commit, editing, history, search, reactions, private channels.

- `send` checks permissions, nonce and slow mode, and makes a draft (`drafts`, `mentions`,
  `components`, `embedded_files`). `batch_writer` is the group commit.
- `edit`, `deletion`, `pins` and `reactions` change messages that exist.
- `history`, `search`, `last_messages` and `recent_mentions` read messages.
- `read_states` has what users have read; `read_state_writer` is the group commit for it.
- `private_channels` has direct messages and groups, `typing_indicator` TYPING_START.
"""

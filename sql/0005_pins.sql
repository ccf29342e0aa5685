-- Pinned messages, newest pin first.

ALTER TABLE messages ADD COLUMN pinned_at timestamptz;

CREATE INDEX messages_pinned ON messages (channel_id, pinned_at) WHERE pinned_at IS NOT NULL;

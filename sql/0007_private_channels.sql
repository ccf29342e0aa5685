-- Private channels, and how far everyone has read.

ALTER TABLE channels ADD COLUMN owner_id bigint;  -- who leads a group

-- One private channel for two people, however often and at once it is asked for.
CREATE TABLE dm_pairs (
    low        bigint NOT NULL REFERENCES users,
    high       bigint NOT NULL REFERENCES users,
    channel_id bigint NOT NULL UNIQUE REFERENCES channels ON DELETE CASCADE,
    PRIMARY KEY (low, high),
    CHECK (low < high)
);

ALTER TABLE dm_recipients ADD COLUMN closed boolean NOT NULL DEFAULT false;

-- How far a user has read a channel: a row for each channel that it has acknowledged.
CREATE TABLE read_states (
    user_id    bigint NOT NULL REFERENCES users,
    channel_id bigint NOT NULL REFERENCES channels ON DELETE CASCADE,
    message_id bigint NOT NULL,
    PRIMARY KEY (user_id, channel_id)
);
CREATE INDEX read_states_channel_id ON read_states (channel_id);

-- Every user has a stream from the start: whoever writes to somebody locks it.
INSERT INTO streams (id) SELECT id FROM users ON CONFLICT DO NOTHING;

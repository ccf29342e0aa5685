-- Reports of messages, users and guilds, for the administrators of the server.

-- The evidence is a copy: it stays when the message is edited or deleted. So there are no foreign keys
-- to what is reported. Users are never deleted as rows.
CREATE TABLE reports (
    id            bigint PRIMARY KEY,
    reporter_id   bigint NOT NULL REFERENCES users,
    kind          text NOT NULL CHECK (kind IN ('message', 'user', 'guild')),
    subject_id    bigint NOT NULL,  -- of the message, the user or the guild
    channel_id    bigint,           -- of the message
    guild_id      bigint,           -- of the message, or the guild
    user_id       bigint,           -- the author of the message, the user, or the owner of the guild
    category      text NOT NULL,
    comment       text NOT NULL CHECK (char_length(comment) <= 1000),
    evidence      jsonb NOT NULL,
    claimed_until timestamptz,      -- while an administrator's decision is carried out
    resolved_at   timestamptz,
    resolver_id   bigint REFERENCES users,  -- null: the operator, on the command line
    outcome       text,
    note          text CHECK (char_length(note) <= 1000),
    CHECK ((resolved_at IS NULL) = (outcome IS NULL))
);

-- One open report of a person about a subject.
CREATE UNIQUE INDEX reports_open ON reports (kind, subject_id, reporter_id) WHERE resolved_at IS NULL;
CREATE INDEX reports_open_id ON reports (id) WHERE resolved_at IS NULL;
CREATE INDEX reports_reporter_id ON reports (reporter_id) WHERE resolved_at IS NULL;

-- Messages and what hangs on them, all keyed by channel first: one index serves writes and paging,
-- and the three tables can be distributed by channel_id.

-- No foreign keys to channels and users: the insert itself checks the guild's version, which the
-- deletion of a channel raises, and user rows are never deleted. A key would lock and dirty both
-- rows with every message, and deleting a channel would hold its guild for as long as its history
-- takes. That history is swept afterwards (purges).
CREATE TABLE messages (
    channel_id   bigint NOT NULL,
    id           bigint NOT NULL,
    author_id    bigint NOT NULL,
    type         smallint NOT NULL DEFAULT 0,
    content      text NOT NULL CHECK (char_length(content) <= 2000),
    flags        integer NOT NULL DEFAULT 0,
    tts          boolean NOT NULL DEFAULT false,
    reference_id bigint,  -- the message of this channel that it answers, which may be gone
    edited_at    timestamptz,
    PRIMARY KEY (channel_id, id)
);

CREATE TABLE attachments (
    channel_id   bigint NOT NULL,
    message_id   bigint NOT NULL,
    id           bigint NOT NULL,
    filename     text NOT NULL CHECK (char_length(filename) BETWEEN 1 AND 260),
    content_type text NOT NULL,
    size         bigint NOT NULL CHECK (size >= 0),
    width        integer,
    height       integer,
    description  text CHECK (char_length(description) <= 1024),
    PRIMARY KEY (channel_id, message_id, id),
    FOREIGN KEY (channel_id, message_id) REFERENCES messages ON DELETE CASCADE
);

CREATE TABLE reactions (
    channel_id bigint NOT NULL,
    message_id bigint NOT NULL,
    emoji      text NOT NULL CHECK (char_length(emoji) BETWEEN 1 AND 64),
    user_id    bigint NOT NULL REFERENCES users,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (channel_id, message_id, emoji, user_id),
    FOREIGN KEY (channel_id, message_id) REFERENCES messages ON DELETE CASCADE
);

-- Channels whose history is still to be deleted, in bites, after the channel itself.
CREATE TABLE purges (
    channel_id bigint PRIMARY KEY
);

-- What a message holds besides its text, and what keeps its author from sending it twice or too soon.

ALTER TABLE messages
    ADD COLUMN embeds           jsonb,
    ADD COLUMN mentions         bigint[],  -- users, in the order of the text; null: none
    ADD COLUMN mention_roles    bigint[],
    ADD COLUMN mention_everyone boolean NOT NULL DEFAULT false,
    ADD COLUMN attachment_count smallint NOT NULL DEFAULT 0;

-- Counting the unread mentions of a channel reads only messages that mention somebody.
CREATE INDEX messages_mentioning ON messages (channel_id, id)
    WHERE mentions IS NOT NULL OR mention_roles IS NOT NULL OR mention_everyone;

-- The message that was sent with a nonce, for some minutes: a retry gets that one.
CREATE TABLE nonces (
    channel_id bigint NOT NULL,
    author_id  bigint NOT NULL,
    nonce      text NOT NULL CHECK (char_length(nonce) BETWEEN 1 AND 25),
    message_id bigint NOT NULL,
    PRIMARY KEY (channel_id, author_id, nonce)
);
CREATE INDEX nonces_message_id ON nonces (message_id);

-- The newest message of each author in a channel with slow mode, and for how long (as a distance
-- of ids) it kept the next one out.
CREATE TABLE slow_modes (
    channel_id bigint NOT NULL,
    user_id    bigint NOT NULL,
    message_id bigint NOT NULL,
    gap        bigint NOT NULL,
    PRIMARY KEY (channel_id, user_id)
);
CREATE INDEX slow_modes_message_id ON slow_modes (message_id);

-- Bits that silence what the system tells in a guild's system channel.
ALTER TABLE guilds ADD COLUMN system_channel_flags integer NOT NULL DEFAULT 0
    CHECK (system_channel_flags BETWEEN 0 AND 63);

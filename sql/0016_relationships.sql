-- Friends, friend requests and blocks, and who may write to a person.

-- What one person is to another: 1 friend, 2 blocked, 3 incoming request, 4 outgoing request, as in
-- Discord's API. A friendship and a request have a row on each side, and both rows change in one
-- transaction that has locked the streams of both. A block has a row on the side of the blocker.
CREATE TABLE relationships (
    user_id  bigint NOT NULL REFERENCES users,
    other_id bigint NOT NULL REFERENCES users,
    type     smallint NOT NULL CHECK (type BETWEEN 1 AND 4),
    nickname text CHECK (char_length(nickname) BETWEEN 1 AND 32),
    since    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, other_id),
    CHECK (user_id <> other_id),
    CHECK (nickname IS NULL OR type = 1)
);
CREATE INDEX relationships_other_id ON relationships (other_id);

-- A person without a row has the defaults.
CREATE TABLE user_settings (
    user_id                   bigint PRIMARY KEY REFERENCES users,
    direct_messages           smallint NOT NULL DEFAULT 0  -- 0 guilds, 1 friends, 2 nobody
        CHECK (direct_messages BETWEEN 0 AND 2),
    friend_sources            smallint NOT NULL DEFAULT 7  -- 1 all, 2 mutual friends, 4 guilds
        CHECK (friend_sources BETWEEN 0 AND 7),
    default_guilds_restricted boolean NOT NULL DEFAULT false
);

-- Whether the member takes no direct messages from people who share only this guild with it.
ALTER TABLE guild_members ADD COLUMN dms_restricted boolean NOT NULL DEFAULT false;

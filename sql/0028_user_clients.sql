-- What clients of people store on the server.

-- The settings of an account, as Protocol Buffers: 1 what every client needs at its start, 2 what
-- the user uses often. Clients send parts, and the server merges them.
CREATE TABLE user_settings_protos (
    user_id      bigint NOT NULL REFERENCES users,
    type         smallint NOT NULL CHECK (type IN (1, 2)),
    data_version integer NOT NULL,  -- how often it was changed
    settings     bytea NOT NULL CHECK (octet_length(settings) <= 262144),
    PRIMARY KEY (user_id, type)
);

-- About what clients notify a user: a row for each guild that differs from the defaults, and one for
-- all private channels. The overrides of channels are few, and are always read with their guild.
CREATE TABLE user_guild_settings (
    user_id               bigint NOT NULL REFERENCES users,
    guild_id              bigint,  -- null: private channels
    version               integer NOT NULL,  -- how often it was changed
    muted                 boolean NOT NULL,
    mute_config           jsonb,
    message_notifications smallint NOT NULL CHECK (message_notifications BETWEEN 0 AND 3),
    suppress_everyone     boolean NOT NULL,
    suppress_roles        boolean NOT NULL,
    mobile_push           boolean NOT NULL,
    mute_scheduled_events boolean NOT NULL,
    hide_muted_channels   boolean NOT NULL,
    notify_highlights     smallint NOT NULL,
    flags                 integer NOT NULL,
    channel_overrides     jsonb NOT NULL,
    FOREIGN KEY (guild_id, user_id) REFERENCES guild_members ON DELETE CASCADE
);
CREATE UNIQUE INDEX user_guild_settings_key ON user_guild_settings (user_id, coalesce(guild_id, 0));
CREATE INDEX user_guild_settings_member ON user_guild_settings (guild_id, user_id);

-- What a person notes about another user; only its own clients read it.
CREATE TABLE user_notes (
    user_id   bigint NOT NULL REFERENCES users,
    target_id bigint NOT NULL REFERENCES users,
    note      text NOT NULL CHECK (char_length(note) BETWEEN 1 AND 256),
    PRIMARY KEY (user_id, target_id)
);

-- Mentions that a user has removed from its list of recent ones.
CREATE TABLE removed_mentions (
    user_id    bigint NOT NULL REFERENCES users,
    message_id bigint NOT NULL,
    PRIMARY KEY (user_id, message_id)
);
CREATE INDEX removed_mentions_message_id ON removed_mentions (message_id);

-- Files that a client uploads before the message that will have them: first it gets an address, then
-- it sends the file there, without a login, and then it names the upload in a message.
CREATE TABLE reserved_uploads (
    id           bigint PRIMARY KEY,
    owner_id     bigint NOT NULL REFERENCES users,
    channel_id   bigint NOT NULL,
    filename     text NOT NULL CHECK (char_length(filename) BETWEEN 1 AND 260),
    created_at   timestamptz NOT NULL DEFAULT now(),
    file_id      bigint,  -- in `uploads`; this and the rest are null until the file has arrived
    content_type text,
    size         bigint,
    width        integer,
    height       integer
);
CREATE INDEX reserved_uploads_owner_id ON reserved_uploads (owner_id);
CREATE INDEX reserved_uploads_created_at ON reserved_uploads (created_at);

-- Guilds and what they hold, and the streams that order their events.

-- What shares one order of events: a guild, a private channel or a user, under its id.
-- Whoever writes in a guild locks its row first, so commits and events have the same order.
-- Messages check `version` and `last_message_id` in the statement that inserts them.
CREATE TABLE streams (
    id              bigint PRIMARY KEY,
    seq             bigint NOT NULL DEFAULT 0,  -- number of the newest event
    version         bigint NOT NULL DEFAULT 0,  -- raised by all that changes who may do what
    last_message_id bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);  -- updated with every event: leaves room for HOT updates

CREATE TABLE guilds (
    id                bigint PRIMARY KEY,
    name              text NOT NULL CHECK (char_length(name) BETWEEN 2 AND 100),
    description       text CHECK (char_length(description) <= 300),
    icon              text,
    owner_id          bigint NOT NULL REFERENCES users,
    system_channel_id bigint
);
CREATE INDEX guilds_owner_id ON guilds (owner_id);

CREATE TABLE roles (
    id          bigint PRIMARY KEY,  -- @everyone has the guild's id
    guild_id    bigint NOT NULL REFERENCES guilds ON DELETE CASCADE,
    name        text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    permissions bigint NOT NULL CHECK (permissions >= 0),
    color       integer NOT NULL DEFAULT 0 CHECK (color BETWEEN 0 AND 16777215),
    hoist       boolean NOT NULL DEFAULT false,
    mentionable boolean NOT NULL DEFAULT false,
    position    integer NOT NULL DEFAULT 0 CHECK (position >= 0),
    UNIQUE (guild_id, id)
);

CREATE TABLE guild_members (
    guild_id                     bigint NOT NULL REFERENCES guilds ON DELETE CASCADE,
    user_id                      bigint NOT NULL REFERENCES users,
    nick                         text CHECK (char_length(nick) BETWEEN 1 AND 32),
    joined_at                    timestamptz NOT NULL DEFAULT now(),
    communication_disabled_until timestamptz,
    PRIMARY KEY (guild_id, user_id)
);
CREATE INDEX guild_members_user_id ON guild_members (user_id);

CREATE TABLE member_roles (
    guild_id bigint NOT NULL,
    user_id  bigint NOT NULL,
    role_id  bigint NOT NULL,
    PRIMARY KEY (guild_id, user_id, role_id),
    FOREIGN KEY (guild_id, user_id) REFERENCES guild_members ON DELETE CASCADE,
    FOREIGN KEY (guild_id, role_id) REFERENCES roles (guild_id, id) ON DELETE CASCADE
);
CREATE INDEX member_roles_role ON member_roles (guild_id, role_id);

CREATE TABLE channels (
    id                  bigint PRIMARY KEY,
    guild_id            bigint REFERENCES guilds ON DELETE CASCADE,  -- null: a private channel
    type                smallint NOT NULL,
    name                text CHECK (char_length(name) BETWEEN 1 AND 100),
    topic               text CHECK (char_length(topic) <= 1024),
    position            integer NOT NULL DEFAULT 0 CHECK (position >= 0),
    parent_id           bigint,
    nsfw                boolean NOT NULL DEFAULT false,
    rate_limit_per_user integer NOT NULL DEFAULT 0 CHECK (rate_limit_per_user BETWEEN 0 AND 21600),
    UNIQUE (guild_id, id),
    FOREIGN KEY (guild_id, parent_id) REFERENCES channels (guild_id, id)
        ON DELETE SET NULL (parent_id),
    CHECK ((guild_id IS NULL) = (type IN (1, 3))),
    CHECK (parent_id IS NULL OR type <> 4)
);
CREATE INDEX channels_parent_id ON channels (parent_id) WHERE parent_id IS NOT NULL;

ALTER TABLE guilds ADD FOREIGN KEY (id, system_channel_id) REFERENCES channels (guild_id, id)
    ON DELETE SET NULL (system_channel_id);

CREATE TABLE dm_recipients (
    channel_id bigint NOT NULL REFERENCES channels ON DELETE CASCADE,
    user_id    bigint NOT NULL REFERENCES users,
    PRIMARY KEY (channel_id, user_id)
);
CREATE INDEX dm_recipients_user_id ON dm_recipients (user_id);

CREATE TABLE invites (
    code       text PRIMARY KEY,
    guild_id   bigint NOT NULL,
    channel_id bigint NOT NULL,
    inviter_id bigint NOT NULL REFERENCES users,
    max_age    integer NOT NULL CHECK (max_age >= 0),  -- seconds; 0 is for ever
    max_uses   integer NOT NULL CHECK (max_uses >= 0),  -- 0 is without end
    uses       integer NOT NULL DEFAULT 0,
    temporary  boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    FOREIGN KEY (guild_id, channel_id) REFERENCES channels (guild_id, id) ON DELETE CASCADE,
    CHECK (max_uses = 0 OR uses <= max_uses)  -- the last use is decided here
);
CREATE INDEX invites_channel_id ON invites (channel_id);
CREATE INDEX invites_guild_id ON invites (guild_id);
CREATE INDEX invites_expires_at ON invites (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE bans (
    guild_id bigint NOT NULL REFERENCES guilds ON DELETE CASCADE,
    user_id  bigint NOT NULL REFERENCES users,
    reason   text CHECK (char_length(reason) <= 512),
    PRIMARY KEY (guild_id, user_id)
);

CREATE TABLE audit_logs (
    guild_id    bigint NOT NULL REFERENCES guilds ON DELETE CASCADE,
    id          bigint NOT NULL,
    user_id     bigint REFERENCES users,
    target_id   bigint,
    action_type smallint NOT NULL,
    reason      text CHECK (char_length(reason) <= 512),
    changes     jsonb NOT NULL DEFAULT '[]',
    options     jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (guild_id, id)
);

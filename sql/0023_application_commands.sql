-- Application commands: global ones, and those of single guilds.

CREATE TABLE application_commands (
    id                         bigint PRIMARY KEY,
    application_id             bigint NOT NULL REFERENCES applications ON DELETE CASCADE,
    guild_id                   bigint REFERENCES guilds ON DELETE CASCADE,  -- null: global
    type                       smallint NOT NULL CHECK (type BETWEEN 1 AND 3),
    version                    bigint NOT NULL,  -- another one after each change
    name                       text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 32),
    name_localizations         text,  -- JSON: an object of locales
    description                text NOT NULL CHECK (char_length(description) <= 100),
    description_localizations  text,
    options                    text NOT NULL,  -- JSON: an array; statements do not look into it
    default_member_permissions bigint,
    nsfw                       boolean NOT NULL,
    contexts                   smallint[],  -- null: all of them
    integration_types          smallint[] NOT NULL
);
CREATE UNIQUE INDEX application_commands_global_name
    ON application_commands (application_id, type, name) WHERE guild_id IS NULL;
CREATE UNIQUE INDEX application_commands_guild_name
    ON application_commands (guild_id, application_id, type, name) WHERE guild_id IS NOT NULL;
CREATE INDEX application_commands_application_id ON application_commands (application_id);

-- What an application has done in a scope: globally (guild_id is null), or in one guild.
CREATE TABLE application_command_scopes (
    application_id bigint NOT NULL REFERENCES applications ON DELETE CASCADE,
    guild_id       bigint REFERENCES guilds ON DELETE CASCADE,
    version        bigint NOT NULL,  -- another one after each change, deletions included
    created        integer NOT NULL, -- the commands that were created since created_since
    created_since  timestamptz NOT NULL
);
CREATE UNIQUE INDEX application_command_scopes_key
    ON application_command_scopes (application_id, coalesce(guild_id, 0));
CREATE INDEX application_command_scopes_guild_id ON application_command_scopes (guild_id);

-- The members, roles and channels that may use a command in a guild, or may not.
CREATE TABLE application_command_permissions (
    guild_id       bigint NOT NULL REFERENCES guilds ON DELETE CASCADE,
    application_id bigint NOT NULL REFERENCES applications ON DELETE CASCADE,
    command_id     bigint NOT NULL,  -- or the application's id, for its commands that have no row
    permissions    jsonb NOT NULL,   -- an array of [id, type, permission]
    PRIMARY KEY (guild_id, application_id, command_id)
);
CREATE INDEX application_command_permissions_command_id
    ON application_command_permissions (application_id, command_id);

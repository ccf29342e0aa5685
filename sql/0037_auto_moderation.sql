-- Rules of AutoModeration, which check messages of members before they are stored.

-- Each change of a rule of the guild makes the absolute value one larger. It is positive while a rule is
-- enabled. Every authorization of a message reads it, so that a guild without rules costs nothing.
ALTER TABLE guilds ADD COLUMN automod_revision bigint NOT NULL DEFAULT 0;

CREATE TABLE auto_moderation_rules (
    id               bigint PRIMARY KEY,
    guild_id         bigint NOT NULL REFERENCES guilds ON DELETE CASCADE,
    creator_id       bigint NOT NULL REFERENCES users,
    name             text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    event_type       smallint NOT NULL,
    trigger_type     smallint NOT NULL,
    trigger_metadata jsonb NOT NULL,
    actions          jsonb NOT NULL,
    enabled          boolean NOT NULL,
    exempt_roles     bigint[] NOT NULL,
    exempt_channels  bigint[] NOT NULL
);
CREATE INDEX auto_moderation_rules_guild_id ON auto_moderation_rules (guild_id, id);

-- Fields that Discord documents: settings of guilds, and temporary memberships.

ALTER TABLE guilds
    ADD COLUMN default_message_notifications smallint NOT NULL DEFAULT 0
        CHECK (default_message_notifications IN (0, 1)),
    ADD COLUMN preferred_locale text NOT NULL DEFAULT 'en-US'
        CHECK (char_length(preferred_locale) BETWEEN 2 AND 10),
    ADD COLUMN rules_channel_id bigint;
ALTER TABLE guilds ADD FOREIGN KEY (id, rules_channel_id) REFERENCES channels (guild_id, id)
    ON DELETE SET NULL (rules_channel_id);

-- Memberships by an invite with `temporary`. One ends when its user has been offline for a while.
-- It becomes permanent, and its row is deleted, when the member is given a role.
CREATE TABLE temporary_members (
    guild_id     bigint NOT NULL,
    user_id      bigint NOT NULL,
    last_seen_at timestamptz NOT NULL DEFAULT now(),  -- when an instance last had a connection of it
    PRIMARY KEY (guild_id, user_id),
    FOREIGN KEY (guild_id, user_id) REFERENCES guild_members ON DELETE CASCADE
);
CREATE INDEX temporary_members_user_id ON temporary_members (user_id);
CREATE INDEX temporary_members_last_seen_at ON temporary_members (last_seen_at);

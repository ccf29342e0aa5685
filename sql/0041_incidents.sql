-- Incidents of a guild: invites and direct messages that are paused, and raids that were detected.

ALTER TABLE guilds
    ADD COLUMN invites_disabled       boolean NOT NULL DEFAULT false,  -- the feature INVITES_DISABLED
    ADD COLUMN invites_disabled_until timestamptz,
    ADD COLUMN dms_disabled_until     timestamptz,
    ADD COLUMN raid_detected_at       timestamptz;

-- Which accounts have joined a guild since a time: ids, because one account that leaves and joins again
-- is no raid. Their number is bounded by the setting RAID_JOINS. A separate table, so that a join
-- changes no guild.
CREATE TABLE guild_joins (
    guild_id bigint PRIMARY KEY REFERENCES guilds ON DELETE CASCADE,
    since    timestamptz NOT NULL,
    user_ids bigint[] NOT NULL
);

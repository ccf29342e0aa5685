-- Retention: a guild may keep its messages and the entries of its audit log for some days only.

ALTER TABLE guilds ADD COLUMN retention_days integer CHECK (retention_days BETWEEN 1 AND 3650);

-- When the rule of a guild is applied next. A separate table, so that taking one changes no guild.
CREATE TABLE guild_retentions (
    guild_id bigint PRIMARY KEY REFERENCES guilds ON DELETE CASCADE,
    due_at   timestamptz NOT NULL
);
CREATE INDEX guild_retentions_due_at ON guild_retentions (due_at);

-- Webhooks: URLs with a secret, through which programs send messages without an account.

-- The token of a webhook is derived from the secret of the server, so it is not stored.
CREATE TABLE webhooks (
    id                bigint PRIMARY KEY,
    type              smallint NOT NULL CHECK (type IN (1, 2)),  -- 1: incoming, 2: follows a channel
    guild_id          bigint NOT NULL,
    channel_id        bigint NOT NULL,  -- where it sends its messages
    creator_id        bigint NOT NULL REFERENCES users,
    application_id    bigint,  -- of the bot that created it; null: a person did
    name              text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 80),
    avatar            text,
    source_channel_id bigint,  -- the announcement channel that it follows, which may be deleted
    FOREIGN KEY (guild_id, channel_id) REFERENCES channels (guild_id, id) ON DELETE CASCADE,
    CHECK ((type = 2) = (source_channel_id IS NOT NULL))
);
CREATE INDEX webhooks_guild_id ON webhooks (guild_id);
CREATE INDEX webhooks_channel_id ON webhooks (channel_id);
CREATE INDEX webhooks_source_channel_id ON webhooks (source_channel_id, id)
    WHERE source_channel_id IS NOT NULL;

-- The picture of a webhook is deleted with it, also where its channel or guild is deleted.
CREATE FUNCTION doom_webhook_avatars() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO doomed_files (key)
    SELECT 'avatars/' || id || '/' || avatar FROM gone WHERE avatar IS NOT NULL
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER webhooks_doomed AFTER DELETE ON webhooks
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION doom_webhook_avatars();

-- The pictures that messages of webhooks show instead of that of the webhook. Clients request them by
-- their hash, and are redirected to the URL. They are kept with the messages, until the guild is
-- deleted.
CREATE TABLE webhook_avatars (
    webhook_id bigint NOT NULL,
    hash       text NOT NULL,
    guild_id   bigint NOT NULL,
    url        text NOT NULL CHECK (char_length(url) <= 2048),
    PRIMARY KEY (webhook_id, hash)
);
CREATE INDEX webhook_avatars_guild_id ON webhook_avatars (guild_id);

CREATE FUNCTION pend_webhook_avatars() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO pending_deletions (kind, details)
    VALUES ('webhook_avatars', jsonb_build_object('guild_id', OLD.id));
    RETURN NULL;
END $$;
CREATE TRIGGER guilds_pend_webhook_avatars AFTER DELETE ON guilds
    FOR EACH ROW EXECUTE FUNCTION pend_webhook_avatars();

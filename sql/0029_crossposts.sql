-- Announcement channels: messages that are published to the channels that follow them.

-- A message that was published. A background task delivers it, and later its changes.
CREATE TABLE crossposts (
    channel_id   bigint NOT NULL,
    message_id   bigint NOT NULL,
    last_id      bigint NOT NULL,  -- the newest webhook that followed when it was published
    revision     integer NOT NULL DEFAULT 1,  -- raised by each change of the message
    after_id     bigint NOT NULL DEFAULT 0,  -- the last webhook that has this revision
    due_at       timestamptz DEFAULT now(),  -- later while an instance works on it; null: all is done
    PRIMARY KEY (channel_id, message_id)
);
CREATE INDEX crossposts_due_at ON crossposts (due_at) WHERE due_at IS NOT NULL;

-- The copy that each following webhook has sent, also if it was deleted since.
CREATE TABLE crosspost_copies (
    source_channel_id bigint NOT NULL,
    source_message_id bigint NOT NULL,
    webhook_id        bigint NOT NULL,
    channel_id        bigint NOT NULL,
    message_id        bigint NOT NULL,
    revision          integer NOT NULL,
    PRIMARY KEY (source_channel_id, source_message_id, webhook_id),
    FOREIGN KEY (source_channel_id, source_message_id) REFERENCES crossposts ON DELETE CASCADE
);

-- Edits and deletions of a published message, wherever they come from, are due for delivery. Bit 0 of
-- the flags marks published messages.
CREATE FUNCTION deliver_crosspost() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE crossposts SET revision = revision + 1, after_id = 0, due_at = now()
     WHERE channel_id = OLD.channel_id AND message_id = OLD.id;
    RETURN NULL;
END $$;
CREATE TRIGGER messages_crosspost_edit AFTER UPDATE OF content, embeds, components, flags ON messages
    FOR EACH ROW WHEN (OLD.flags & 1 = 1) EXECUTE FUNCTION deliver_crosspost();
CREATE TRIGGER messages_crosspost_deletion AFTER DELETE ON messages
    FOR EACH ROW WHEN (OLD.flags & 1 = 1) EXECUTE FUNCTION deliver_crosspost();

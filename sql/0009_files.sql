-- Files: those being uploaded, those of messages, and those to be deleted from storage.

-- Noted before the first byte is stored, and gone with the commit of the message that has it:
-- what stays here for long belongs to an upload that broke off.
CREATE TABLE uploads (
    id         bigint PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Attachments are downloaded by their own id.
CREATE UNIQUE INDEX attachments_id ON attachments (channel_id, id);

-- What storage still holds and nobody refers to any more.
CREATE TABLE doomed_files (
    key        text PRIMARY KEY,
    not_before timestamptz NOT NULL DEFAULT now()  -- later: may be referred to after all
);

CREATE FUNCTION doom_attachments() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO doomed_files (key) SELECT 'attachments/' || id FROM gone ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE TRIGGER attachments_doomed AFTER DELETE ON attachments
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION doom_attachments();

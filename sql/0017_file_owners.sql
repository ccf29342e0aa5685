-- Whose files these are, so that an account has a bound of stored bytes; and files that cannot be
-- deleted, so that they do not hold up the others.

ALTER TABLE uploads
    ADD COLUMN owner_id bigint,  -- null: from an instance of an earlier version
    ADD COLUMN size     bigint NOT NULL DEFAULT 0;  -- 0 until all of it has arrived

ALTER TABLE attachments ADD COLUMN owner_id bigint;  -- of earlier files: see 0021

ALTER TABLE doomed_files ADD COLUMN failures integer NOT NULL DEFAULT 0;

-- transactional: false
-- Indexes and values of tables that may be large. An instance of the version before serves meanwhile,
-- so no statement here holds a lock that its readers or writers wait for. Each commits by itself. All
-- can be run again: an index that was broken off is there, but not valid, so it is dropped first.

DROP INDEX CONCURRENTLY IF EXISTS audit_logs_target;
CREATE INDEX CONCURRENTLY audit_logs_target ON audit_logs (guild_id, target_id, id);

DROP INDEX CONCURRENTLY IF EXISTS uploads_owner_id;
CREATE INDEX CONCURRENTLY uploads_owner_id ON uploads (owner_id) INCLUDE (size);

DROP INDEX CONCURRENTLY IF EXISTS attachments_owner_id;
CREATE INDEX CONCURRENTLY attachments_owner_id ON attachments (owner_id) INCLUDE (size);

-- The authors of messages own their files, also those from before 0017.
DO $do$
DECLARE
    at_channel bigint := 0;
    at_message bigint := 0;
    at_file    bigint := 0;
BEGIN
    LOOP
        WITH batch AS MATERIALIZED (
            SELECT channel_id, message_id, id FROM attachments
             WHERE owner_id IS NULL
               AND (channel_id, message_id, id) > (at_channel, at_message, at_file)
          ORDER BY channel_id, message_id, id
             LIMIT 2000
        ), owned AS (
            UPDATE attachments SET owner_id = messages.author_id
              FROM batch JOIN messages
                     ON messages.channel_id = batch.channel_id AND messages.id = batch.message_id
             WHERE attachments.channel_id = batch.channel_id
               AND attachments.message_id = batch.message_id AND attachments.id = batch.id
        )
        SELECT channel_id, message_id, id INTO at_channel, at_message, at_file
          FROM batch
      ORDER BY channel_id DESC, message_id DESC, id DESC
         LIMIT 1;
        EXIT WHEN NOT FOUND;
        COMMIT;
    END LOOP;
END
$do$;

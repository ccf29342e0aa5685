-- Pending deletions: work that is too much for one transaction, done in batches afterwards.
--
-- A deletion that may touch any number of rows commits at once with what decides on it (the ban, the
-- row of the guild, the message). It leaves a row here, and a background task deletes the rest. The
-- rows that are left over are invisible, since every reader asks for the deleted parent first.
-- Triggers add the rows, so that an instance of an earlier version adds them as well.

CREATE TABLE pending_deletions (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind    text NOT NULL,
    details jsonb NOT NULL,  -- what to delete, and how far that has come
    due_at  timestamptz NOT NULL DEFAULT now()  -- in the future while an instance works on it
);
CREATE INDEX pending_deletions_due_at ON pending_deletions (due_at);
CREATE INDEX pending_deletions_reactions
    ON pending_deletions ((details ->> 'channel_id'), (details ->> 'message_id'))
    WHERE kind = 'reactions';

-- These keys deleted an unbounded number of rows in the transaction that deleted their parent. The
-- lock of the guild already keeps out an insert that races with the deletion.
DO $do$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT conrelid::regclass AS child, conname AS name
          FROM pg_constraint
         WHERE contype = 'f'
           AND (conrelid, confrelid) IN (
                   ('guild_members'::regclass, 'guilds'::regclass),
                   ('bans'::regclass, 'guilds'::regclass),
                   ('audit_logs'::regclass, 'guilds'::regclass),
                   ('member_roles'::regclass, 'roles'::regclass),
                   ('read_states'::regclass, 'channels'::regclass),
                   ('reactions'::regclass, 'messages'::regclass))
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', found.child, found.name);
    END LOOP;
END
$do$;

CREATE FUNCTION pend_guild() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO pending_deletions (kind, details)
    SELECT kind, jsonb_build_object('guild_id', OLD.id)
      FROM unnest(ARRAY['members', 'bans', 'audit_logs']) AS kind;
    RETURN NULL;
END $$;
CREATE TRIGGER guilds_pend AFTER DELETE ON guilds
    FOR EACH ROW EXECUTE FUNCTION pend_guild();

CREATE FUNCTION pend_roles() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO pending_deletions (kind, details)
    SELECT 'member_roles', jsonb_build_object('guild_id', guild_id, 'role_ids', jsonb_agg(id))
      FROM gone GROUP BY guild_id;
    RETURN NULL;
END $$;
CREATE TRIGGER roles_pend AFTER DELETE ON roles
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION pend_roles();

CREATE FUNCTION pend_channels() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO pending_deletions (kind, details)
    SELECT 'read_states', jsonb_build_object('channel_ids', jsonb_agg(id))
      FROM gone HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER channels_pend AFTER DELETE ON channels
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION pend_channels();

-- A few reactions of each deleted message go at once: a row for every message that anybody has
-- reacted to would cost more than it saves.
CREATE FUNCTION pend_reactions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM reactions WHERE ctid = ANY (ARRAY (
        SELECT few.place
          FROM gone CROSS JOIN LATERAL (
                   SELECT reactions.ctid AS place FROM reactions
                    WHERE channel_id = gone.channel_id AND message_id = gone.id
                    LIMIT 20) AS few
         LIMIT 5000));
    INSERT INTO pending_deletions (kind, details)
    SELECT 'reactions', jsonb_build_object('channel_id', channel_id, 'message_id', id)
      FROM gone CROSS JOIN LATERAL (
               SELECT FROM reactions
                WHERE reactions.channel_id = gone.channel_id AND message_id = gone.id
                LIMIT 1) AS left_over;
    RETURN NULL;
END $$;
CREATE TRIGGER messages_pend AFTER DELETE ON messages
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION pend_reactions();

-- Messages of segments that could not be indexed: a search reads them.
CREATE TABLE search_unindexed (
    channel_id bigint NOT NULL,
    message_id bigint NOT NULL,
    PRIMARY KEY (channel_id, message_id)
);

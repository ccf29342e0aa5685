-- Commands of applications, and their permissions in guilds, are deleted in batches: an application has
-- up to 130 commands in each of its guilds, and permissions for as many.

-- Permissions belong to a command with its name: those with another generation than their command do
-- not count, and are deleted later.
ALTER TABLE application_commands ADD COLUMN permissions_generation bigint NOT NULL DEFAULT 0;
ALTER TABLE application_command_permissions ADD COLUMN generation bigint NOT NULL DEFAULT 0;

-- These keys deleted all rows in the transaction that deleted their guild or application.
ALTER TABLE application_commands
    DROP CONSTRAINT application_commands_guild_id_fkey,
    DROP CONSTRAINT application_commands_application_id_fkey;
ALTER TABLE application_command_scopes
    DROP CONSTRAINT application_command_scopes_guild_id_fkey,
    DROP CONSTRAINT application_command_scopes_application_id_fkey;
ALTER TABLE application_command_permissions
    DROP CONSTRAINT application_command_permissions_guild_id_fkey,
    DROP CONSTRAINT application_command_permissions_application_id_fkey;

-- The details name the column of the guild or of the application.
CREATE FUNCTION pend_commands() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    details jsonb := jsonb_build_object(TG_ARGV[0], OLD.id);
    found boolean;
    command_table text;
BEGIN
    FOREACH command_table IN ARRAY ARRAY['application_commands', 'application_command_scopes',
                                         'application_command_permissions'] LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE %I = $1)', command_table, TG_ARGV[0])
           INTO found USING OLD.id;
        IF found THEN
            INSERT INTO pending_deletions (kind, details) VALUES (command_table, details);
        END IF;
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER guilds_pend_commands AFTER DELETE ON guilds
    FOR EACH ROW EXECUTE FUNCTION pend_commands('guild_id');
CREATE TRIGGER applications_pend_commands AFTER DELETE ON applications
    FOR EACH ROW EXECUTE FUNCTION pend_commands('application_id');

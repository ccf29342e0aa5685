-- Timeouts of users that are no members: a timeout ends at its time, not by leaving and rejoining.
--
-- Triggers keep and restore them, whichever way a membership ends or begins, and also where an
-- instance of an earlier version writes it.

CREATE TABLE kept_timeouts (
    guild_id bigint NOT NULL,
    user_id  bigint NOT NULL,
    until    timestamptz NOT NULL,
    PRIMARY KEY (guild_id, user_id)
);
CREATE INDEX kept_timeouts_until ON kept_timeouts (until);

CREATE FUNCTION keep_timeout() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO kept_timeouts (guild_id, user_id, until)
    VALUES (OLD.guild_id, OLD.user_id, OLD.communication_disabled_until)
    ON CONFLICT (guild_id, user_id) DO UPDATE SET until = excluded.until;
    RETURN NULL;
END $$;
CREATE TRIGGER guild_members_keep_timeout AFTER DELETE ON guild_members
    FOR EACH ROW WHEN (OLD.communication_disabled_until > now())
    EXECUTE FUNCTION keep_timeout();

CREATE FUNCTION restore_timeout() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kept timestamptz;
BEGIN
    DELETE FROM kept_timeouts
     WHERE guild_id = NEW.guild_id AND user_id = NEW.user_id
    RETURNING until INTO kept;
    IF kept > now() THEN
        NEW.communication_disabled_until = kept;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guild_members_restore_timeout BEFORE INSERT ON guild_members
    FOR EACH ROW EXECUTE FUNCTION restore_timeout();

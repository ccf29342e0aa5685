-- What people tell of themselves, where they are logged in, and accounts that have been deleted.

ALTER TABLE users
    ADD COLUMN bio        text NOT NULL DEFAULT '' CHECK (char_length(bio) <= 190),
    ADD COLUMN deleted_at timestamptz,  -- the row stays, for what its user has written stays
    ALTER COLUMN email         DROP NOT NULL,
    ALTER COLUMN email_key     DROP NOT NULL,
    ALTER COLUMN password_hash DROP NOT NULL,
    ADD CHECK (
        CASE WHEN deleted_at IS NULL THEN num_nulls(email, email_key, password_hash) = 0
             ELSE num_nonnulls(email, email_key, password_hash, global_name, avatar) = 0
                  AND bio = ''
        END
    );

-- Enough to know a login again by: what its client called itself, and when it was last there.
-- No address: behind a proxy it is the proxy's, and without need it is not for us to keep.
ALTER TABLE logins
    ADD COLUMN user_agent   text CHECK (char_length(user_agent) <= 256),
    ADD COLUMN last_used_at timestamptz NOT NULL DEFAULT now();

UPDATE logins SET last_used_at = to_timestamp(((id >> 22) + 1420070400000) / 1000.0);

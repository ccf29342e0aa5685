-- Who runs the server: administrators, accounts that are shut, and who may register.

ALTER TABLE users
    ADD COLUMN is_administrator boolean NOT NULL DEFAULT false,  -- may invite people to register
    ADD COLUMN disabled_at      timestamptz,  -- nobody logs in to it, and no token of it is valid
    ADD CHECK (NOT (is_administrator AND (bot OR deleted_at IS NOT NULL)));

-- Not to be confused with `invites`, which lead into a guild.
CREATE TABLE registration_invitations (
    code       text PRIMARY KEY,
    created_by bigint REFERENCES users,  -- null: the command line
    created_at timestamptz NOT NULL DEFAULT now(),
    max_uses   integer NOT NULL CHECK (max_uses >= 0),  -- 0 is without end
    uses       integer NOT NULL DEFAULT 0,
    expires_at timestamptz,
    CHECK (max_uses = 0 OR uses <= max_uses)  -- the last use is decided here
);
CREATE INDEX registration_invitations_created_by ON registration_invitations (created_by);

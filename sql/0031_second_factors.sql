-- Second factors of logins: one-time codes (TOTP), passkeys, and recovery codes for both.

-- Whether the account has a one-time code or a passkey. Every change of these writes it; it saves
-- each check of permissions two lookups.
ALTER TABLE users ADD COLUMN mfa_enabled boolean NOT NULL DEFAULT false;

-- 1: moderation in the guild needs a second factor of the actor's account.
ALTER TABLE guilds ADD COLUMN mfa_level smallint NOT NULL DEFAULT 0 CHECK (mfa_level IN (0, 1));

CREATE TABLE totp_secrets (
    user_id   bigint PRIMARY KEY REFERENCES users,
    secret    bytea NOT NULL CHECK (octet_length(secret) <= 256),  -- encrypted by the server
    last_step bigint NOT NULL  -- the time step of the last accepted code; earlier codes are refused
);

CREATE TABLE passkeys (
    id            bigint PRIMARY KEY,
    user_id       bigint NOT NULL REFERENCES users,
    credential_id bytea NOT NULL UNIQUE CHECK (octet_length(credential_id) BETWEEN 1 AND 1023),
    public_key    bytea NOT NULL CHECK (octet_length(public_key) <= 2048),  -- COSE
    sign_count    bigint NOT NULL,
    name          text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 32),
    last_used_at  timestamptz
);
CREATE INDEX passkeys_user_id ON passkeys (user_id);

CREATE TABLE recovery_codes (
    user_id   bigint NOT NULL REFERENCES users,
    code_hash bytea NOT NULL,  -- keyed with the secret of the server
    used_at   timestamptz,
    PRIMARY KEY (user_id, code_hash)
);

-- Tickets that wait for a second factor. The clients have them, signed; a row is what makes a ticket
-- usable once, and bounds its tries.
CREATE TABLE mfa_tickets (
    id         bytea PRIMARY KEY CHECK (octet_length(id) = 16),
    user_id    bigint NOT NULL REFERENCES users,
    challenge  bytea NOT NULL CHECK (octet_length(challenge) = 32),  -- for a passkey
    tries      smallint NOT NULL DEFAULT 0,
    expires_at timestamptz NOT NULL
);
CREATE INDEX mfa_tickets_user_id ON mfa_tickets (user_id, expires_at);
CREATE INDEX mfa_tickets_expires_at ON mfa_tickets (expires_at);

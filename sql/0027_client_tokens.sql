-- transactional: false
-- The tokens of clients that never refresh: each is valid as long as its login is used.

-- When the client token of the login expires; null: it has none. Each use moves it.
ALTER TABLE logins ADD COLUMN IF NOT EXISTS token_expires_at timestamptz;

DROP INDEX CONCURRENTLY IF EXISTS logins_token_expires_at;
CREATE INDEX CONCURRENTLY logins_token_expires_at ON logins (token_expires_at)
    WHERE token_expires_at IS NOT NULL;

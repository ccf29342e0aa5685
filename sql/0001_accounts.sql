-- Accounts, logins and the workers that make ids.
-- Ids are snowflakes made by chatd; the time of creation is part of the id.

CREATE TABLE workers (
    id          smallint PRIMARY KEY CHECK (id BETWEEN 0 AND 31),
    holder      text NOT NULL,
    reserved_ms bigint NOT NULL  -- no id of this worker is younger; the next holder starts here
);

CREATE TABLE users (
    id            bigint PRIMARY KEY,
    username      text NOT NULL CHECK (char_length(username) BETWEEN 2 AND 32),
    username_key  text NOT NULL UNIQUE,  -- NFKC, case folded: look-alikes collide here
    global_name   text CHECK (char_length(global_name) BETWEEN 1 AND 32),
    avatar        text,
    bot           boolean NOT NULL DEFAULT false,
    email         text NOT NULL,
    email_key     text NOT NULL UNIQUE,
    password_hash text NOT NULL
);

-- A login is what a person did once with a password; its refresh tokens follow one another.
CREATE TABLE logins (
    id         bigint PRIMARY KEY,
    user_id    bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    revoked_at timestamptz
);
CREATE INDEX logins_user_id ON logins (user_id);

CREATE TABLE refresh_tokens (
    token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    login_id   bigint NOT NULL REFERENCES logins ON DELETE CASCADE,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz  -- set at its one use; a second use revokes the login
);
CREATE INDEX refresh_tokens_login_id ON refresh_tokens (login_id);
CREATE INDEX refresh_tokens_expires_at ON refresh_tokens (expires_at);

-- Applications: programs that act as accounts of their own, and the people who answer for them.

CREATE TABLE applications (
    id          bigint PRIMARY KEY REFERENCES users,  -- that of its account as well
    owner_id    bigint NOT NULL REFERENCES users,
    name        text NOT NULL CHECK (char_length(name) BETWEEN 2 AND 32),
    description text NOT NULL CHECK (char_length(description) <= 400),
    public      boolean NOT NULL,  -- whether others than its owner may add it to guilds
    flags       integer NOT NULL   -- which privileged intents it may ask for
);
CREATE INDEX applications_owner_id ON applications (owner_id);

-- A bot has no address and no password: its token is its login.
ALTER TABLE users DROP CONSTRAINT users_check;
ALTER TABLE users ADD CONSTRAINT users_check CHECK (
    CASE WHEN deleted_at IS NOT NULL
         THEN num_nonnulls(email, email_key, password_hash, global_name, avatar) = 0 AND bio = ''
         WHEN bot THEN num_nonnulls(email, email_key, password_hash) = 0
         ELSE num_nulls(email, email_key, password_hash) = 0
    END
);

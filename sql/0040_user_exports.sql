-- Exports: an archive with everything of an account, which its owner has requested.

CREATE TABLE user_exports (
    user_id      bigint PRIMARY KEY REFERENCES users,  -- the last one; a new request replaces it
    id           bigint NOT NULL UNIQUE,  -- the file is stored as exports/<id>
    requested_at timestamptz NOT NULL DEFAULT now(),
    due_at       timestamptz DEFAULT now(),  -- in the future while an instance makes it; null: ended
    attempts     smallint NOT NULL DEFAULT 0,
    size         bigint,  -- of the finished archive; null: it is not finished, or has failed
    finished_at  timestamptz
);
CREATE INDEX user_exports_due_at ON user_exports (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX user_exports_requested_at ON user_exports (requested_at);

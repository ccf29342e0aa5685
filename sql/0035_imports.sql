-- Guilds that were imported from another server, and the accounts of their authors.

-- A placeholder: the account of an author of imported messages, until a person claims it. It has no
-- address and no password, so nobody can log in to it.
ALTER TABLE users ADD COLUMN is_placeholder boolean NOT NULL DEFAULT false;

-- Every row satisfies it, since it permits more than the constraint before. So no row is read here.
ALTER TABLE users DROP CONSTRAINT users_check;
ALTER TABLE users ADD CONSTRAINT users_check CHECK (
    CASE WHEN deleted_at IS NOT NULL
         THEN num_nonnulls(email, email_key, password_hash, global_name, avatar) = 0 AND bio = ''
         WHEN bot OR is_placeholder THEN num_nonnulls(email, email_key, password_hash) = 0
         ELSE num_nulls(email, email_key, password_hash) = 0
    END
) NOT VALID;

-- One-time codes with which a person claims a placeholder.
CREATE TABLE account_claims (
    user_id    bigint PRIMARY KEY REFERENCES users,
    code_hash  bytea NOT NULL UNIQUE,  -- SHA-256
    expires_at timestamptz NOT NULL
);

-- What has been imported, so that a second run continues the first.
CREATE TABLE imports (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source          text NOT NULL,  -- "discord", or "chatd"
    source_guild_id bigint NOT NULL,
    guild_id        bigint NOT NULL,  -- no key: the record outlives the guild
    started_at      timestamptz NOT NULL DEFAULT now(),
    needs_index     boolean NOT NULL DEFAULT false  -- messages of it are not in the search index
);
CREATE INDEX imports_source ON imports (source, source_guild_id);

-- The account of each author, over all imports.
CREATE TABLE imported_users (
    source    text NOT NULL,
    source_id bigint NOT NULL,
    user_id   bigint NOT NULL REFERENCES users,
    PRIMARY KEY (source, source_id)
);
CREATE INDEX imported_users_user_id ON imported_users (user_id);

-- The objects that an import has created. A message is here only if its id differs.
CREATE TABLE imported_objects (
    import_id bigint NOT NULL REFERENCES imports ON DELETE CASCADE,
    kind      text NOT NULL,  -- channel, role, member, message or attachment
    source_id bigint NOT NULL,
    parent_id bigint NOT NULL DEFAULT 0,  -- of an attachment: its message
    id        bigint NOT NULL,
    PRIMARY KEY (import_id, kind, source_id, parent_id)
);
CREATE INDEX imported_objects_id ON imported_objects (kind, id);

-- The files that were imported completely: they are not read again unless they have changed.
CREATE TABLE imported_files (
    import_id   bigint NOT NULL REFERENCES imports ON DELETE CASCADE,
    name        text NOT NULL,
    size        bigint NOT NULL,
    modified_ns bigint NOT NULL,
    PRIMARY KEY (import_id, name)
);

-- Interactions: what people do with the commands and components of applications. All rows here have
-- a short life, and the janitor deletes them by their age. So nothing refers to other tables by keys.

CREATE TABLE interactions (
    id                    bigint PRIMARY KEY,
    token_hash            bytea NOT NULL,  -- SHA-256
    application_id        bigint NOT NULL,
    channel_id            bigint NOT NULL,
    origin                jsonb NOT NULL,  -- what messages that respond to it are stored with
    session               text,
    nonce                 text,
    message_is_ephemeral  boolean NOT NULL,
    state                 smallint NOT NULL DEFAULT 0,
    response_id           bigint,
    response_is_ephemeral boolean NOT NULL DEFAULT false,
    modal                 jsonb
);
CREATE UNIQUE INDEX interactions_token_hash ON interactions (token_hash);
CREATE INDEX interactions_pending ON interactions (id) WHERE state = 0;

-- Messages that only one user sees. They are not in `messages`, so that nothing which reads a
-- channel can show or count them.
CREATE TABLE ephemeral_messages (
    id               bigint PRIMARY KEY,
    user_id          bigint NOT NULL,  -- who sees it
    channel_id       bigint NOT NULL,
    author_id        bigint NOT NULL,
    type             smallint NOT NULL,
    content          text NOT NULL CHECK (char_length(content) <= 2000),
    flags            integer NOT NULL,
    tts              boolean NOT NULL,
    reference_id     bigint,
    edited_at        timestamptz,
    embeds           jsonb,
    mentions         bigint[],
    mention_roles    bigint[],
    mention_everyone boolean NOT NULL,
    attachment_count smallint NOT NULL,
    components       jsonb,
    origin           jsonb NOT NULL
);

-- Files of ephemeral messages, and files that people send with interactions: then message_id is that
-- of the interaction.
CREATE TABLE ephemeral_attachments (
    channel_id   bigint NOT NULL,
    message_id   bigint NOT NULL,
    id           bigint NOT NULL,
    filename     text NOT NULL CHECK (char_length(filename) BETWEEN 1 AND 260),
    content_type text NOT NULL,
    size         bigint NOT NULL CHECK (size >= 0),
    width        integer,
    height       integer,
    description  text CHECK (char_length(description) <= 1024),
    owner_id     bigint,
    PRIMARY KEY (channel_id, message_id, id)
);
CREATE UNIQUE INDEX ephemeral_attachments_id ON ephemeral_attachments (id);
CREATE INDEX ephemeral_attachments_owner_id ON ephemeral_attachments (owner_id) INCLUDE (size);
CREATE TRIGGER ephemeral_attachments_doomed AFTER DELETE ON ephemeral_attachments
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION doom_attachments();

ALTER TABLE applications ADD COLUMN interactions_endpoint_url text;  -- null: over the gateway

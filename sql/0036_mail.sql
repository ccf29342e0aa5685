-- Mail: verified addresses, the mail queue of mails, and the tokens in the links of mails.

ALTER TABLE users ADD COLUMN email_verified boolean NOT NULL DEFAULT false;
-- The language of mails to the account; NULL is English.
ALTER TABLE users ADD COLUMN language text CHECK (char_length(language) <= 16);

-- What the link of a mail may do, once. A link is signed with the secret of the server, so that a row
-- alone does not open it.
CREATE TABLE mail_tokens (
    id         bytea PRIMARY KEY CHECK (octet_length(id) = 16),
    user_id    bigint NOT NULL REFERENCES users,
    purpose    text NOT NULL CHECK (char_length(purpose) <= 16),
    -- The address that the link verifies, that it was sent to, or that it returns to the account.
    email      text NOT NULL CHECK (char_length(email) <= 254),
    email_key  text NOT NULL,
    -- The login that asked for a new address; it survives the change. Not a foreign key: logins end.
    login_id   bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX mail_tokens_user_id ON mail_tokens (user_id);
CREATE INDEX mail_tokens_email_key ON mail_tokens (email_key);
CREATE INDEX mail_tokens_expires_at ON mail_tokens (expires_at);

-- Mails that wait to be sent. They are rendered when they are sent.
CREATE TABLE mails (
    id         bigint PRIMARY KEY,
    kind       text NOT NULL CHECK (char_length(kind) <= 32),
    -- NULL: a password reset. Whether the address has an account is looked up when it is sent.
    user_id    bigint REFERENCES users,
    recipient  text NOT NULL CHECK (char_length(recipient) <= 254),
    language   text NOT NULL CHECK (char_length(language) <= 16),
    token_id   bytea CHECK (octet_length(token_id) = 16),
    detail     text NOT NULL DEFAULT '' CHECK (char_length(detail) <= 254),
    tries      int NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    due_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX mails_due_at ON mails (due_at, id);
CREATE INDEX mails_user_id ON mails (user_id);
CREATE INDEX mails_created_at ON mails (created_at);

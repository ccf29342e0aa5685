-- Single sign-on by OpenID Connect: accounts at providers, and the logins that they opened.

-- The hash of a password that was made at random, which no one knows. While it is the password_hash,
-- the account has no password.
ALTER TABLE users ADD COLUMN random_password_hash text;

CREATE TABLE oidc_identities (
    issuer               text NOT NULL CHECK (char_length(issuer) <= 255),
    subject              text NOT NULL CHECK (char_length(subject) <= 255),  -- the account there
    user_id              bigint NOT NULL REFERENCES users,
    grants_administrator boolean NOT NULL DEFAULT false,  -- by a group, which may be taken away
    linked_at            timestamptz NOT NULL DEFAULT now(),
    last_used_at         timestamptz,
    PRIMARY KEY (issuer, subject),
    UNIQUE (user_id, issuer)
);

-- The logins that a provider opened, by which it ends them. Logins are deleted some time after their
-- end, and these rows with them.
CREATE TABLE oidc_logins (
    login_id   bigint PRIMARY KEY REFERENCES logins ON DELETE CASCADE,
    issuer     text NOT NULL,
    subject    text NOT NULL,
    session_id text,  -- of the session there
    has_mfa    boolean NOT NULL  -- the provider asked for a second factor
);
CREATE INDEX oidc_logins_subject ON oidc_logins (issuer, subject);
CREATE INDEX oidc_logins_session_id ON oidc_logins (issuer, session_id) WHERE session_id IS NOT NULL;

-- Browsers that are at a provider to log in.
CREATE TABLE oidc_attempts (
    state_hash    bytea PRIMARY KEY CHECK (octet_length(state_hash) = 32),
    browser_hash  bytea NOT NULL CHECK (octet_length(browser_hash) = 32),
    issuer        text NOT NULL,
    nonce         text NOT NULL,
    code_verifier text NOT NULL,
    login_id      bigint,  -- the login that links an account; NULL for a new login
    user_id       bigint,
    expires_at    timestamptz NOT NULL
);
CREATE INDEX oidc_attempts_expires_at ON oidc_attempts (expires_at);

-- Browsers that are back from a provider, and have not yet got their tokens.
CREATE TABLE oidc_handoffs (
    code_hash    bytea PRIMARY KEY CHECK (octet_length(code_hash) = 32),
    browser_hash bytea NOT NULL CHECK (octet_length(browser_hash) = 32),
    user_id      bigint NOT NULL REFERENCES users,
    issuer       text NOT NULL,
    subject      text NOT NULL,
    session_id   text,
    has_mfa      boolean NOT NULL,
    expires_at   timestamptz NOT NULL
);
CREATE INDEX oidc_handoffs_user_id ON oidc_handoffs (user_id);
CREATE INDEX oidc_handoffs_expires_at ON oidc_handoffs (expires_at);

-- Logout tokens that were used.
CREATE TABLE oidc_logout_tokens (
    issuer     text NOT NULL,
    token_hash bytea NOT NULL CHECK (octet_length(token_hash) = 32),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (issuer, token_hash)
);
CREATE INDEX oidc_logout_tokens_expires_at ON oidc_logout_tokens (expires_at);

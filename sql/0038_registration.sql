-- Registration with approval, and mail domains and networks from which accounts cannot be registered.

-- Accounts that wait for an administrator. They are disabled as well, so no instance accepts a login
-- of them.
CREATE TABLE registration_requests (
    user_id      bigint PRIMARY KEY REFERENCES users,
    requested_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE registration_blocks (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    domain     text,  -- in lower case, in the ASCII form of IDNA; with all its subdomains
    network    cidr,
    note       text CHECK (char_length(note) <= 1000),
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (num_nonnulls(domain, network) = 1)
);
CREATE UNIQUE INDEX registration_blocks_domain ON registration_blocks (domain);
CREATE UNIQUE INDEX registration_blocks_network ON registration_blocks (network);
CREATE INDEX registration_blocks_overlap ON registration_blocks USING gist (network inet_ops);

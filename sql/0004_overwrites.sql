-- What a channel allows and denies a role or a member, over what their roles grant.

CREATE TABLE overwrites (
    guild_id   bigint NOT NULL,
    channel_id bigint NOT NULL,
    target_id  bigint NOT NULL,  -- a role, or a user who need not be a member any more
    type       smallint NOT NULL CHECK (type IN (0, 1)),  -- 0: role, 1: member
    allow      bigint NOT NULL DEFAULT 0 CHECK (allow >= 0),
    deny       bigint NOT NULL DEFAULT 0 CHECK (deny >= 0),
    PRIMARY KEY (channel_id, target_id),
    FOREIGN KEY (guild_id, channel_id) REFERENCES channels (guild_id, id) ON DELETE CASCADE
);
CREATE INDEX overwrites_target ON overwrites (guild_id, target_id);

-- Lists of entries and bans page by id within a guild; both filters of the audit log narrow that.
CREATE INDEX audit_logs_user ON audit_logs (guild_id, user_id, id);
CREATE INDEX audit_logs_action ON audit_logs (guild_id, action_type, id);

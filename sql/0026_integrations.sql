-- Integrations: which applications people have added to guilds and to their accounts, and what an
-- application says about itself when it is added.

-- An application in a guild. An integration has the id of its application.
CREATE TABLE guild_integrations (
    guild_id       bigint NOT NULL REFERENCES guilds ON DELETE CASCADE,
    application_id bigint NOT NULL REFERENCES applications ON DELETE CASCADE,
    bot            boolean NOT NULL,  -- with its bot: counts only while the bot is a member
    added_by       bigint REFERENCES users,  -- null: unknown
    PRIMARY KEY (guild_id, application_id)
);
CREATE INDEX guild_integrations_application_id ON guild_integrations (application_id);

-- An application of a person, in whatever guild. No key to the application: any number of people may
-- have added it, and their rows are deleted later.
CREATE TABLE user_integrations (
    user_id        bigint NOT NULL REFERENCES users,
    application_id bigint NOT NULL,
    PRIMARY KEY (user_id, application_id)
);
CREATE INDEX user_integrations_application_id ON user_integrations (application_id);

-- Every bot in a guild has an integration, also where an instance of an earlier version adds it.
CREATE FUNCTION integrate_bot() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO guild_integrations (guild_id, application_id, bot)
    SELECT NEW.guild_id, id, true FROM applications WHERE id = NEW.user_id
    ON CONFLICT (guild_id, application_id) DO UPDATE SET bot = true;
    RETURN NULL;
END $$;
CREATE TRIGGER guild_members_integrate_bot AFTER INSERT ON guild_members
    FOR EACH ROW EXECUTE FUNCTION integrate_bot();

-- The bots that are there already. The audit log knows who added them.
INSERT INTO guild_integrations (guild_id, application_id, bot, added_by)
SELECT guild_members.guild_id, applications.id, true,
       (SELECT audit_logs.user_id FROM audit_logs
         WHERE audit_logs.guild_id = guild_members.guild_id AND action_type = 28
           AND target_id = applications.id
      ORDER BY audit_logs.id DESC
         LIMIT 1)
  FROM applications JOIN guild_members ON guild_members.user_id = applications.id
       JOIN guilds ON guilds.id = guild_members.guild_id
ON CONFLICT DO NOTHING;

-- The bot that a managed role belongs to.
ALTER TABLE roles ADD COLUMN bot_id bigint;

ALTER TABLE applications
    ADD COLUMN icon                     text,
    ADD COLUMN tags                     text[] NOT NULL DEFAULT '{}',
    ADD COLUMN install_params           jsonb,
    ADD COLUMN custom_install_url       text CHECK (char_length(custom_install_url) <= 2048),
    ADD COLUMN integration_types_config jsonb;  -- null: both kinds of installation

-- What a message of a bot, a webhook or an interaction holds besides its text.

ALTER TABLE messages
    ADD COLUMN components jsonb,  -- as sent to clients; null: none
    ADD COLUMN origin     jsonb;  -- how it was sent, if not by an account alone; null: it was

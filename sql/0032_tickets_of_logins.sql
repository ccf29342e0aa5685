-- The login whose requests a ticket is for; NULL for a new login. The tickets of each are bounded, so a
-- stolen token does not replace those of the owner. Not a foreign key: a ticket lasts five minutes.
ALTER TABLE mfa_tickets ADD COLUMN login_id bigint;

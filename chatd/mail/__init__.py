"""Mails: their texts, their form, and sending them to an SMTP server."""

"""Webhooks: managing them, and the messages that are sent through them."""

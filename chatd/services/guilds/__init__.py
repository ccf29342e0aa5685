"""Guilds: members, roles, channels, invites, moderation and the audit log."""

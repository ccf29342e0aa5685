"""Intents: the groups of events that a session requests. Rule: Discord docs, Gateway, "Intents"."""

from __future__ import annotations

from enum import IntFlag

from chatd.core.models import ApplicationFlags


class Intents(IntFlag):
    """The groups of events, one bit each."""

    GUILDS = 1 << 0
    GUILD_MEMBERS = 1 << 1
    GUILD_MODERATION = 1 << 2
    GUILD_EXPRESSIONS = 1 << 3
    GUILD_INTEGRATIONS = 1 << 4
    GUILD_WEBHOOKS = 1 << 5
    GUILD_INVITES = 1 << 6
    GUILD_VOICE_STATES = 1 << 7
    GUILD_PRESENCES = 1 << 8
    GUILD_MESSAGES = 1 << 9
    GUILD_MESSAGE_REACTIONS = 1 << 10
    GUILD_MESSAGE_TYPING = 1 << 11
    DIRECT_MESSAGES = 1 << 12
    DIRECT_MESSAGE_REACTIONS = 1 << 13
    DIRECT_MESSAGE_TYPING = 1 << 14
    MESSAGE_CONTENT = 1 << 15
    GUILD_SCHEDULED_EVENTS = 1 << 16
    AUTO_MODERATION_CONFIGURATION = 1 << 20
    AUTO_MODERATION_EXECUTION = 1 << 21
    GUILD_MESSAGE_POLLS = 1 << 24
    DIRECT_MESSAGE_POLLS = 1 << 25


PRIVILEGED = {
    Intents.GUILD_MEMBERS: ApplicationFlags.MEMBERS,
    Intents.GUILD_PRESENCES: ApplicationFlags.PRESENCES,
    Intents.MESSAGE_CONTENT: ApplicationFlags.MESSAGE_CONTENT,
}
"""Privileged intents. To request one, an application needs any of its flags."""

ALL_INTENTS = Intents(sum(Intents))
WITHOUT_EVENTS = sum(1 << bit for bit in (17, 18, 19, 22, 23, 26, 27, 28))
"""Intents of Discord whose events do not exist here: embedded activities, private channels of
OAuth2 clients, calls, relationships, presences of users, and lobbies. Discord documents none of
them, but libraries request them: interactions.py has bit 17 in `Intents.ALL`."""

NO_INTENT = Intents(0)
"""The intent of events that every session gets, regardless of its own intents."""

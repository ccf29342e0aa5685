"""Dispatches about a guild as a whole."""

from __future__ import annotations

from collections.abc import Iterable

from chatd.core.ids import GuildId, StreamId, UserId
from chatd.core.intents import Intents
from chatd.core.json import JsonObject
from chatd.core.models import Guild, Role
from chatd.events.event import Event, to_guild, to_user
from chatd.wire import payloads

GUILD_JOINED = "GUILD_JOINED"
"""Internal: a user has joined a guild. Each instance renders GUILD_CREATE from it and from its own
state of the guild. A GUILD_CREATE can take a megabyte, too much for the streams of the bus."""

JOINED = frozenset({GUILD_JOINED, "GUILD_CREATE"})
"""Earlier versions publish the whole GUILD_CREATE, which has the fields of GUILD_JOINED."""

MEMBERSHIP = JOINED | {"GUILD_DELETE"}
"""Events by which a user joins or leaves a guild. If the guild is deleted, all members leave."""

HISTORY_IMPORTED = "HISTORY_IMPORTED"
"""Internal: messages were added to a guild without events, so its last messages are others. It
is for no user, because an earlier version would send it to its clients."""


def history_imported(guild_id: GuildId) -> Event:
    """HISTORY_IMPORTED."""
    return Event(HISTORY_IMPORTED, StreamId(guild_id), to_user(UserId(0)), payloads.encode({}))


def guild_joined(user_id: UserId, guild_id: GuildId, state: JsonObject) -> Event:
    """GUILD_JOINED, to one user. `state` is the result of `payloads.guild_joined`."""
    body = payloads.encode(state)
    return Event(GUILD_JOINED, StreamId(guild_id), to_user(user_id), body, Intents.GUILDS)


def guild_updated(guild: Guild, roles: Iterable[Role]) -> Event:
    """GUILD_UPDATE, to every member."""
    body = payloads.encode(payloads.guild(guild, roles))
    return Event("GUILD_UPDATE", StreamId(guild.id), to_guild(guild.id), body, Intents.GUILDS)


def guild_deleted(guild_id: GuildId) -> Event:
    """GUILD_DELETE, to every member: the guild was deleted."""
    return Event("GUILD_DELETE", StreamId(guild_id), to_guild(guild_id), _gone(guild_id), _GUILDS)


def guild_left(user_id: UserId, guild_id: GuildId) -> Event:
    """GUILD_DELETE, to a user that left. It has no `unavailable`, which would mean an outage."""
    return Event("GUILD_DELETE", StreamId(guild_id), to_user(user_id), _gone(guild_id), _GUILDS)


_GUILDS = Intents.GUILDS


def _gone(guild_id: GuildId) -> bytes:
    return payloads.encode({"id": str(guild_id)})

"""Dispatches about a guild as a whole."""

from __future__ import annotations

from collections.abc import Iterable

from chatd.core.ids import GuildId, StreamId, UserId
from chatd.core.intents import Intents
from chatd.core.models import Guild, Role
from chatd.events.event import Event, to_guild, to_user
from chatd.wire import payloads


def guild_joined(user_id: UserId, guild_id: GuildId, state: payloads.Json) -> Event:
    """GUILD_CREATE to one user, who is from now on a member. `state` has no `unavailable`."""
    body = payloads.encode(state)
    return Event("GUILD_CREATE", StreamId(guild_id), to_user(user_id), body, Intents.GUILDS)


def guild_updated(guild: Guild, roles: Iterable[Role]) -> Event:
    """GUILD_UPDATE, to every member."""
    body = payloads.encode(payloads.guild(guild, roles))
    return Event("GUILD_UPDATE", StreamId(guild.id), to_guild(guild.id), body, Intents.GUILDS)


def guild_deleted(guild_id: GuildId) -> Event:
    """GUILD_DELETE, to every member: the guild is gone."""
    return Event("GUILD_DELETE", StreamId(guild_id), to_guild(guild_id), _gone(guild_id), _GUILDS)


def guild_left(user_id: UserId, guild_id: GuildId) -> Event:
    """GUILD_DELETE to one user, who is no longer a member. No `unavailable`: that is an outage."""
    return Event("GUILD_DELETE", StreamId(guild_id), to_user(user_id), _gone(guild_id), _GUILDS)


_GUILDS = Intents.GUILDS


def _gone(guild_id: GuildId) -> bytes:
    return payloads.encode({"id": str(guild_id)})

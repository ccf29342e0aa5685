"""Dispatches about roles, to every member of the guild."""

from __future__ import annotations

from chatd.core.ids import GuildId, RoleId, StreamId
from chatd.core.intents import Intents
from chatd.core.json import JsonObject
from chatd.core.models import Role
from chatd.events.event import Event, to_guild
from chatd.wire import payloads


def role_created(role: Role) -> Event:
    """GUILD_ROLE_CREATE."""
    return _about("GUILD_ROLE_CREATE", role.guild_id, {"role": payloads.role(role)})


def role_updated(role: Role) -> Event:
    """GUILD_ROLE_UPDATE."""
    return _about("GUILD_ROLE_UPDATE", role.guild_id, {"role": payloads.role(role)})


def role_deleted(guild_id: GuildId, role_id: RoleId) -> Event:
    """GUILD_ROLE_DELETE."""
    return _about("GUILD_ROLE_DELETE", guild_id, {"role_id": str(role_id)})


def _about(name: str, guild_id: GuildId, payload: JsonObject) -> Event:
    body = payloads.encode({"guild_id": str(guild_id), **payload})
    return Event(name, StreamId(guild_id), to_guild(guild_id), body, Intents.GUILDS)

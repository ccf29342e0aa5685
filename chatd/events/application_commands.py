"""Dispatches about application commands and their permissions."""

from __future__ import annotations

from typing import Final

from chatd.core.commands import CommandPermissions
from chatd.core.ids import GuildId, StreamId
from chatd.events.event import Event, to_guild
from chatd.wire import payloads

COMMAND_INDEX_UPDATED: Final = "GUILD_APPLICATION_COMMAND_INDEX_UPDATE"
"""It is only for people: their clients request the commands of the guild again."""


def command_index_updated(guild_id: GuildId, version: int | None = None) -> Event:
    """GUILD_APPLICATION_COMMAND_INDEX_UPDATE: other commands can be used in a guild than before."""
    payload = {"guild_id": str(guild_id)}
    if version is not None:
        payload["version"] = str(version)
    return Event(
        COMMAND_INDEX_UPDATED, StreamId(guild_id), to_guild(guild_id), payloads.encode(payload)
    )


def permissions_updated(permissions: CommandPermissions) -> Event:
    """APPLICATION_COMMAND_PERMISSIONS_UPDATE, to all members. No intent is needed for it."""
    guild_id = permissions.guild_id
    body = payloads.encode(payloads.command_permissions(permissions))
    return Event(
        "APPLICATION_COMMAND_PERMISSIONS_UPDATE", StreamId(guild_id), to_guild(guild_id), body
    )

"""Dispatches about integrations of a guild, to every member."""

from __future__ import annotations

from chatd.core.ids import GuildId, StreamId, UserId
from chatd.core.integrations import Integration
from chatd.core.intents import Intents
from chatd.core.json import JsonObject
from chatd.events.event import Event, to_guild, to_user
from chatd.wire import payloads


def integration_created(integration: Integration) -> list[Event]:
    """INTEGRATION_CREATE."""
    return _about("INTEGRATION_CREATE", integration.guild_id, payloads.integration(integration))


def integration_updated(integration: Integration) -> list[Event]:
    """INTEGRATION_UPDATE."""
    return _about("INTEGRATION_UPDATE", integration.guild_id, payloads.integration(integration))


def integration_deleted(guild_id: GuildId, application_id: UserId) -> list[Event]:
    """INTEGRATION_DELETE."""
    gone = {"id": str(application_id), "application_id": str(application_id)}
    return _about("INTEGRATION_DELETE", guild_id, gone)


def _about(name: str, guild_id: GuildId, payload: JsonObject) -> list[Event]:
    """Return the dispatch, and GUILD_INTEGRATIONS_UPDATE: clients follow one or the other."""
    named = {"guild_id": str(guild_id)}
    return [
        _event(name, guild_id, {**payload, **named}),
        _event("GUILD_INTEGRATIONS_UPDATE", guild_id, named),
    ]


def _event(name: str, guild_id: GuildId, payload: JsonObject) -> Event:
    body = payloads.encode(payload)
    return Event(name, StreamId(guild_id), to_guild(guild_id), body, Intents.GUILD_INTEGRATIONS)


def user_application_updated(user_id: UserId, application_id: UserId) -> Event:
    """USER_APPLICATION_UPDATE: the user has added an application for itself."""
    return _of_user("USER_APPLICATION_UPDATE", user_id, application_id)


def user_application_removed(user_id: UserId, application_id: UserId) -> Event:
    """USER_APPLICATION_REMOVE: the user has removed an application."""
    return _of_user("USER_APPLICATION_REMOVE", user_id, application_id)


def _of_user(name: str, user_id: UserId, application_id: UserId) -> Event:
    body = payloads.encode({"application_id": str(application_id)})
    return Event(name, StreamId(user_id), to_user(user_id), body)

"""Dispatches about the settings of a person, to its own sessions."""

from __future__ import annotations

import base64

from chatd.core.ids import StreamId, UserId
from chatd.core.json import JsonObject
from chatd.events.event import Event, to_user
from chatd.wire import payloads
from chatd.wire.protobuf.settings import SettingsType

SETTINGS_UPDATED = "USER_SETTINGS_UPDATE"


def settings_changed(user_id: UserId, changed: JsonObject) -> Event:
    """USER_SETTINGS_UPDATE, with the settings that changed."""
    return _about(SETTINGS_UPDATED, user_id, changed)


def proto_changed(user_id: UserId, kind: SettingsType, settings: bytes) -> Event:
    """USER_SETTINGS_PROTO_UPDATE, with the whole message.

    Clients do not agree how to merge a partial one, so it is never partial.
    """
    proto = base64.b64encode(settings).decode()
    payload = {"settings": {"type": int(kind), "proto": proto}, "partial": False}
    return _about("USER_SETTINGS_PROTO_UPDATE", user_id, payload)


def _about(name: str, user_id: UserId, payload: JsonObject) -> Event:
    return Event(name, StreamId(user_id), to_user(user_id), payloads.encode(payload))

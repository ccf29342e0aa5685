"""Dispatches about notes, to the sessions of their author."""

from __future__ import annotations

from chatd.core.ids import StreamId, UserId
from chatd.events.event import Event, to_user
from chatd.wire import payloads


def note_changed(author_id: UserId, user_id: UserId, note: str) -> Event:
    """USER_NOTE_UPDATE: the note about a user; an empty one was deleted."""
    body = payloads.encode({"id": str(user_id), "note": note})
    return Event("USER_NOTE_UPDATE", StreamId(author_id), to_user(author_id), body)

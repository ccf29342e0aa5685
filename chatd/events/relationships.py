"""Dispatches about relationships, to the person that owns them."""

from __future__ import annotations

from chatd.core.ids import StreamId, UserId
from chatd.core.json import JsonObject
from chatd.core.relationships import Relationship, RelationshipType
from chatd.events.event import Event, to_user
from chatd.wire import payloads


def relationship_added(
    owner_id: UserId, relationship: Relationship, *, notify: bool = False
) -> Event:
    """RELATIONSHIP_ADD. It replaces any earlier relationship to the same user.

    `notify` asks clients to show a notification: a request arrived, or was accepted.
    """
    payload = {**payloads.relationship(relationship), "should_notify": notify}
    return _about("RELATIONSHIP_ADD", owner_id, payload)


def relationship_updated(owner_id: UserId, relationship: Relationship) -> Event:
    """RELATIONSHIP_UPDATE: the person changed the nickname of a friend."""
    return _about("RELATIONSHIP_UPDATE", owner_id, payloads.relationship(relationship))


def relationship_removed(owner_id: UserId, other_id: UserId, kind: RelationshipType) -> Event:
    """RELATIONSHIP_REMOVE: the relationship of this kind ended."""
    return _about("RELATIONSHIP_REMOVE", owner_id, {"id": str(other_id), "type": kind})


def _about(name: str, owner_id: UserId, payload: JsonObject) -> Event:
    return Event(name, StreamId(owner_id), to_user(owner_id), payloads.encode(payload))

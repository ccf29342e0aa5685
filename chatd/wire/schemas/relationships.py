"""Schemas of relationships."""

from __future__ import annotations

from dataclasses import dataclass

from chatd.core.relationships import RelationshipType
from chatd.core.unset import UNSET, Maybe
from chatd.wire.base_schema import Schema
from chatd.wire.fields import Discriminator, Int
from chatd.wire.text_fields import Name, Text
from chatd.wire.unsupported import Unsupported
from chatd.wire.validators import at_most, choice, length


@dataclass(frozen=True, slots=True)
class FriendRequest:
    username: str
    discriminator: int | None = None


@dataclass(frozen=True, slots=True)
class NewRelationship:
    type: int | None = RelationshipType.FRIEND


@dataclass(frozen=True, slots=True)
class RelationshipChange:
    nickname: Maybe[str | None] = UNSET


_NO_NOTES = "notes with friend requests"
_ACCEPT = -1  # accepts a friend request or sends one, as without a type


class FriendRequestSchema(Schema[FriendRequest]):
    into = FriendRequest
    note = Unsupported(_NO_NOTES)
    username = Text(required=True, validate=length(1, 64))
    discriminator = Discriminator(allow_none=True)


class NewRelationshipSchema(Schema[NewRelationship]):
    into = NewRelationship
    type = Int(
        allow_none=True,
        validate=choice(_ACCEPT, RelationshipType.FRIEND, RelationshipType.BLOCKED),
    )
    note = Unsupported(_NO_NOTES)


class RelationshipChangeSchema(Schema[RelationshipChange]):
    into = RelationshipChange
    nickname = Name(allow_none=True, validate=at_most(32))

"""Of the gateway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from chatd.core.ids import MAX_ID, GuildId, UserId
from chatd.core.presence import Status
from chatd.wire.fields import (
    Bool,
    Int,
    Nested,
    Part,
    Problem,
    Schema,
    Snowflake,
    Text,
    length,
    within,
)


@dataclass(frozen=True, slots=True)
class Identify:
    token: str
    intents: int | None = None
    large_threshold: int = 50
    shard: list[int] | None = None
    presence: WantedPresence | None = None
    properties: Mapping[str, Any] | None = None
    compress: object = None


@dataclass(frozen=True, slots=True)
class WantedPresence:
    """What a client wants to show."""

    status: str | None = None
    activities: Sequence[Mapping[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class MemberRequest:
    """Which members of a guild a client wants to be given."""

    guild_id: GuildId
    query: str | None = None
    limit: int = 0
    user_ids: Sequence[UserId] | None = None
    presences: bool = False
    nonce: str | None = None


@dataclass(frozen=True, slots=True)
class Resume:
    token: str
    session_id: str
    seq: int


class _EmojiSchema(Part):
    name = Text(required=True, validate=length(1, 64))
    id = Snowflake(allow_none=True)
    animated = Bool(allow_none=True)


class ActivitySchema(Part):
    name = Text(required=True, validate=length(1, 128))
    type = Int(load_default=0, validate=within(0, 5))
    state = Text(allow_none=True, validate=length(0, 128))
    details = Text(allow_none=True, validate=length(0, 128))
    url = Text(allow_none=True, validate=length(0, 512))
    emoji = Nested(_EmojiSchema, allow_none=True)


class PresenceSchema(Schema[WantedPresence]):
    into = WantedPresence
    status = Text(
        allow_none=True,
        validate=validate.OneOf(
            list(Status), error=Problem("BASE_TYPE_CHOICES", "Must be one of {choices}.")
        ),
    )
    activities = fields.List(Nested(ActivitySchema), allow_none=True, validate=length(0, 10))


class MemberRequestSchema(Schema[MemberRequest]):
    into = MemberRequest
    guild_id = Snowflake(required=True)
    query = Text(allow_none=True, validate=length(0, 100))
    limit = Int(allow_none=True, validate=within(0, 10_000))
    user_ids = fields.Raw(allow_none=True)
    presences = Bool(allow_none=True)
    nonce = Text(allow_none=True)

    @ma.post_load
    def _into(self, data: dict[str, Any], **_: Any) -> MemberRequest:
        wanted = data.pop("user_ids", None)
        if wanted is not None:  # one id, or an array of them
            listed = wanted if isinstance(wanted, list) else [wanted]
            data["user_ids"] = tuple(Snowflake().deserialize(each) for each in listed)
        return MemberRequest(**{key: value for key, value in data.items() if value is not None})


class IdentifySchema(Schema[Identify]):
    into = Identify
    token = Text(required=True)
    intents = Int(allow_none=True, validate=within(0, 2**53))
    large_threshold = Int(validate=within(50, 250))
    presence = Nested(PresenceSchema, allow_none=True)
    properties = fields.Dict(allow_none=True)
    compress = fields.Raw(allow_none=True)
    shard = fields.List(Int(validate=within(0, 2**16)), allow_none=True, validate=length(2, 2))


class ResumeSchema(Schema[Resume]):
    into = Resume
    token = Text(required=True)
    session_id = Text(required=True)
    seq = Int(required=True, validate=within(0, MAX_ID))

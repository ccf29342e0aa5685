"""Of channels and their overwrites."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import marshmallow as ma
from marshmallow import fields

from chatd.core.ids import ChannelId
from chatd.core.models import ChannelType, OverwriteType
from chatd.wire.fields import (
    NAME,
    NULL_IS_ABSENT,
    POSITION,
    UNSET,
    Bool,
    Int,
    Maybe,
    Nested,
    PermissionBits,
    Schema,
    Snowflake,
    T,
    Text,
    choice,
    length,
    within,
)


@dataclass(frozen=True, slots=True)
class WantedOverwrite:
    """In the body of a channel; the path of a route may give the id instead."""

    id: int
    type: OverwriteType
    allow: int = 0
    deny: int = 0


@dataclass(frozen=True, slots=True)
class OverwriteChange:
    type: OverwriteType
    allow: int = 0
    deny: int = 0


@dataclass(frozen=True, slots=True)
class ChannelMove:
    id: ChannelId
    position: Maybe[int | None] = UNSET
    parent_id: Maybe[ChannelId | None] = UNSET
    lock_permissions: bool | None = None


@dataclass(frozen=True, slots=True)
class NewChannel:
    name: str
    type: ChannelType = ChannelType.TEXT
    topic: str | None = None
    position: int | None = None
    parent_id: ChannelId | None = None
    nsfw: bool = False
    rate_limit_per_user: int = 0
    permission_overwrites: Sequence[WantedOverwrite] = ()


@dataclass(frozen=True, slots=True)
class ChannelChange:
    name: Maybe[str | None] = UNSET
    topic: Maybe[str | None] = UNSET
    position: Maybe[int] = UNSET
    parent_id: Maybe[ChannelId | None] = UNSET
    nsfw: Maybe[bool] = UNSET
    rate_limit_per_user: Maybe[int] = UNSET
    permission_overwrites: Maybe[Sequence[WantedOverwrite] | None] = UNSET


_SLOWMODE = within(0, 21600)  # seconds


_CHANNEL_TYPE = choice(ChannelType.TEXT, ChannelType.CATEGORY)
_OVERWRITE_TYPE = choice(OverwriteType.ROLE, OverwriteType.MEMBER)


class _OverwriteSchema(Schema[T]):
    type = Int(required=True, validate=_OVERWRITE_TYPE)
    allow = PermissionBits(allow_none=True)
    deny = PermissionBits(allow_none=True)

    @ma.post_load
    def _into(self, data: dict[str, Any], **_: Any) -> Any:
        return self.into(
            **{
                **data,
                "type": OverwriteType(data["type"]),
                "allow": data.get("allow") or 0,
                "deny": data.get("deny") or 0,
            }
        )


class OverwriteChangeSchema(_OverwriteSchema[OverwriteChange]):
    into = OverwriteChange


class WantedOverwriteSchema(_OverwriteSchema[WantedOverwrite]):
    into = WantedOverwrite
    id = Snowflake(required=True)


_OVERWRITES = length(0, 1000)


class ChannelMoveSchema(Schema[ChannelMove]):
    into = ChannelMove
    id = Snowflake(required=True)
    position = Int(allow_none=True, validate=POSITION)
    parent_id = Snowflake(allow_none=True)
    lock_permissions = Bool(allow_none=True)


class NewChannelSchema(Schema[NewChannel]):
    into = NewChannel
    name = Text(required=True, trimmed=True, validate=NAME)
    type = Int(validate=_CHANNEL_TYPE, **NULL_IS_ABSENT)
    topic = Text(allow_none=True, validate=length(0, 1024))
    position = Int(allow_none=True, validate=POSITION)
    parent_id = Snowflake(allow_none=True)
    nsfw = Bool(**NULL_IS_ABSENT)
    rate_limit_per_user = Int(validate=_SLOWMODE, **NULL_IS_ABSENT)
    permission_overwrites = fields.List(
        Nested(WantedOverwriteSchema), validate=_OVERWRITES, **NULL_IS_ABSENT
    )

    @ma.post_load
    def _into(self, data: dict[str, Any], **_: Any) -> NewChannel:
        kind = ChannelType(data.pop("type", ChannelType.TEXT))
        return NewChannel(type=kind, **data)


class ChannelChangeSchema(Schema[ChannelChange]):
    into = ChannelChange
    name = Text(allow_none=True, trimmed=True, validate=NAME)
    topic = Text(allow_none=True, validate=length(0, 1024))
    position = Int(validate=POSITION, **NULL_IS_ABSENT)
    parent_id = Snowflake(allow_none=True)
    nsfw = Bool(**NULL_IS_ABSENT)
    rate_limit_per_user = Int(validate=_SLOWMODE, **NULL_IS_ABSENT)
    permission_overwrites = fields.List(
        Nested(WantedOverwriteSchema), allow_none=True, validate=_OVERWRITES
    )

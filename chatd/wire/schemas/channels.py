"""Schemas of channels and their overwrites."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import marshmallow as ma
from marshmallow import validate

from chatd.core.field_errors import NOT_SUPPORTED
from chatd.core.ids import ChannelId
from chatd.core.models import ChannelType
from chatd.core.overwrites import OverwriteType
from chatd.core.unset import UNSET, Maybe
from chatd.wire.base_schema import NULL_IS_ABSENT, Schema, T
from chatd.wire.fields import Bool, Int, List, Nested, PermissionBits, Snowflake
from chatd.wire.text_fields import Name, Text
from chatd.wire.unsupported import Unsupported
from chatd.wire.validators import NAME, POSITION, FieldError, choice, length, within


@dataclass(frozen=True, slots=True)
class OverwriteInput:
    """An overwrite in the body of a channel. `OverwriteChange` has no id: it is in the path."""

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
    permission_overwrites: Sequence[OverwriteInput] = ()


@dataclass(frozen=True, slots=True)
class ChannelChange:
    name: Maybe[str | None] = UNSET
    type: Maybe[int] = UNSET
    topic: Maybe[str | None] = UNSET
    position: Maybe[int] = UNSET
    parent_id: Maybe[ChannelId | None] = UNSET
    nsfw: Maybe[bool] = UNSET
    rate_limit_per_user: Maybe[int] = UNSET
    permission_overwrites: Maybe[Sequence[OverwriteInput] | None] = UNSET


_SLOWMODE = within(0, 21600)  # seconds


_CHANNEL_TYPE = validate.OneOf(
    (ChannelType.TEXT, ChannelType.CATEGORY, ChannelType.ANNOUNCEMENT),
    error=FieldError(
        NOT_SUPPORTED,
        "This server has text channels (0), categories (4) and announcement channels (5) only.",
    ),
)
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


class OverwriteInputSchema(_OverwriteSchema[OverwriteInput]):
    into = OverwriteInput
    id = Snowflake(required=True)


MAX_TOPIC = 1024
"""Characters of a topic. Rule: Discord docs, "Channel Object"."""

_OVERWRITES = length(0, 1000)


class _ChannelSchema(Schema[T]):
    bitrate = Unsupported("voice channels", 64000)
    user_limit = Unsupported("voice channels")
    rtc_region = Unsupported("voice channels")
    video_quality_mode = Unsupported("voice channels", 1)
    default_auto_archive_duration = Unsupported("threads", 1440, 4320)
    default_thread_rate_limit_per_user = Unsupported("threads")
    default_reaction_emoji = Unsupported("forums")
    default_sort_order = Unsupported("forums")
    default_forum_layout = Unsupported("forums")
    default_tag_setting = Unsupported("forums")
    available_tags = Unsupported("forums")


class ChannelMoveSchema(Schema[ChannelMove]):
    into = ChannelMove
    id = Snowflake(required=True)
    position = Int(allow_none=True, validate=POSITION)
    parent_id = Snowflake(allow_none=True)
    lock_permissions = Bool(allow_none=True)


class NewChannelSchema(_ChannelSchema[NewChannel]):
    into = NewChannel
    name = Name(required=True, validate=NAME)
    type = Int(validate=_CHANNEL_TYPE, **NULL_IS_ABSENT)
    topic = Text(allow_none=True, validate=length(0, MAX_TOPIC))
    position = Int(allow_none=True, validate=POSITION)
    parent_id = Snowflake(allow_none=True)
    nsfw = Bool(**NULL_IS_ABSENT)
    rate_limit_per_user = Int(validate=_SLOWMODE, **NULL_IS_ABSENT)
    permission_overwrites = List(
        Nested(OverwriteInputSchema), validate=_OVERWRITES, **NULL_IS_ABSENT
    )

    @ma.post_load
    def _into(self, data: dict[str, Any], **_: Any) -> NewChannel:
        kind = ChannelType(data.pop("type", ChannelType.TEXT))
        return NewChannel(type=kind, **data)


class ChannelChangeSchema(_ChannelSchema[ChannelChange]):
    into = ChannelChange
    name = Name(allow_none=True, validate=NAME)
    type = Int(validate=within(0, 255), **NULL_IS_ABSENT)
    topic = Text(allow_none=True, validate=length(0, MAX_TOPIC))
    position = Int(validate=POSITION, **NULL_IS_ABSENT)
    parent_id = Snowflake(allow_none=True)
    nsfw = Bool(**NULL_IS_ABSENT)
    rate_limit_per_user = Int(validate=_SLOWMODE, **NULL_IS_ABSENT)
    permission_overwrites = List(
        Nested(OverwriteInputSchema), allow_none=True, validate=_OVERWRITES
    )
    flags = Unsupported("flags of channels")
    icon = Unsupported("icons of groups")
    applied_tags = Unsupported("forums")
    archived = Unsupported("threads")
    locked = Unsupported("threads")
    invitable = Unsupported("threads")
    auto_archive_duration = Unsupported("threads")

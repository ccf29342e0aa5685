"""Schemas of notification settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from chatd.core.ids import ChannelId, GuildId
from chatd.core.json import JsonObject
from chatd.core.notifications import MuteConfig
from chatd.core.unset import UNSET, Maybe
from chatd.wire.base_schema import NULL_IS_ABSENT, Schema
from chatd.wire.fields import Bool, ById, Int, Nested, Timestamp, Value, whole
from chatd.wire.unsupported import Derived
from chatd.wire.validators import ERRORS, FieldError, choice, length, within

MAX_CHANGED_CHANNELS = 500
"""Channels of one guild in one request: as many as a guild has."""

MAX_CHANGED_GUILDS = 200

_MAX_INT = 2**31 - 1
_MAX_TIME_MS = 253_402_300_799_000  # the end of the year 9999


@dataclass(frozen=True, slots=True)
class ChannelOverrideChange:
    muted: Maybe[bool] = UNSET
    mute_config: Maybe[MuteConfig | None] = UNSET
    message_notifications: Maybe[int] = UNSET
    collapsed: Maybe[bool] = UNSET
    flags: Maybe[int] = UNSET


@dataclass(frozen=True, slots=True)
class NotificationsChange:
    muted: Maybe[bool] = UNSET
    mute_config: Maybe[MuteConfig | None] = UNSET
    message_notifications: Maybe[int] = UNSET
    suppress_everyone: Maybe[bool] = UNSET
    suppress_roles: Maybe[bool] = UNSET
    mobile_push: Maybe[bool] = UNSET
    mute_scheduled_events: Maybe[bool] = UNSET
    hide_muted_channels: Maybe[bool] = UNSET
    notify_highlights: Maybe[int] = UNSET
    flags: Maybe[int] = UNSET
    channel_overrides: Mapping[ChannelId, ChannelOverrideChange] | None = None


@dataclass(frozen=True, slots=True)
class BulkNotificationsChange:
    guilds: Mapping[GuildId | None, NotificationsChange]


class EndTime(Timestamp):
    """The end of a mute: ISO 8601, or milliseconds since 1970, as some clients send; 0 is none."""

    json: ClassVar[JsonObject] = {
        "type": ["string", "integer"],
        "format": "date-time",
        "minimum": 0,
        "maximum": _MAX_TIME_MS,
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        if (ms := whole(value)) is not None and 0 <= ms <= _MAX_TIME_MS:
            return datetime.fromtimestamp(ms / 1000, UTC)
        if not isinstance(value, str):
            raise self.make_error("invalid", input="", obj_type="datetime")
        return super()._deserialize(value, attr, data, **kwargs)


class Seconds(Value[int]):
    """A duration in seconds, rounded; discord.py-self sends fractions."""

    default_error_messages = {  # noqa: RUF012
        **ERRORS,
        "invalid": FieldError("NUMBER_TYPE_COERCE", "Value is not a number of seconds."),
    }
    json: ClassVar[JsonObject] = {"type": "number", "minimum": -1, "maximum": _MAX_INT}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.make_error("invalid")
        if not -1 <= value <= _MAX_INT:
            raise self.make_error("invalid")
        return round(value)


@dataclass(frozen=True, slots=True)
class _Config:
    end_time: datetime | None = None
    selected_time_window: int | None = None


class MuteConfigSchema(Schema[_Config]):
    into = _Config
    end_time = EndTime(allow_none=True)
    selected_time_window = Seconds(allow_none=True)


class _MuteConfig(Nested):
    """The duration of a mute."""

    def __init__(self) -> None:
        super().__init__(MuteConfigSchema, allow_none=True)

    def _deserialize(self, value: Any, *arguments: Any, **kwargs: Any) -> MuteConfig:
        config: _Config = super()._deserialize(value, *arguments, **kwargs)
        ends_at = config.end_time
        return MuteConfig(
            ends_at if ends_at and ends_at.timestamp() > 0 else None, config.selected_time_window
        )


_LEVEL = choice(0, 1, 2, 3)
_FLAGS = within(0, _MAX_INT)


class ChannelOverrideChangeSchema(Schema[ChannelOverrideChange]):
    into = ChannelOverrideChange
    channel_id = Derived()
    muted = Bool(**NULL_IS_ABSENT)
    mute_config = _MuteConfig()
    message_notifications = Int(validate=_LEVEL, **NULL_IS_ABSENT)
    collapsed = Bool(**NULL_IS_ABSENT)
    flags = Int(validate=_FLAGS, **NULL_IS_ABSENT)


class NotificationsChangeSchema(Schema[NotificationsChange]):
    into = NotificationsChange
    guild_id = Derived()
    version = Derived()
    muted = Bool(**NULL_IS_ABSENT)
    mute_config = _MuteConfig()
    message_notifications = Int(validate=_LEVEL, **NULL_IS_ABSENT)
    suppress_everyone = Bool(**NULL_IS_ABSENT)
    suppress_roles = Bool(**NULL_IS_ABSENT)
    mobile_push = Bool(**NULL_IS_ABSENT)
    mute_scheduled_events = Bool(**NULL_IS_ABSENT)
    hide_muted_channels = Bool(**NULL_IS_ABSENT)
    notify_highlights = Int(validate=choice(0, 1, 2), **NULL_IS_ABSENT)
    flags = Int(validate=_FLAGS, **NULL_IS_ABSENT)
    channel_overrides = ById(
        Nested(ChannelOverrideChangeSchema),
        validate=length(0, MAX_CHANGED_CHANNELS),
        **NULL_IS_ABSENT,
    )


class BulkNotificationsChangeSchema(Schema[BulkNotificationsChange]):
    into = BulkNotificationsChange
    guilds = ById(
        Nested(NotificationsChangeSchema),
        required=True,
        validate=length(0, MAX_CHANGED_GUILDS),
    )

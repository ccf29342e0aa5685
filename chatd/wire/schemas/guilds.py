"""Schemas of guilds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from marshmallow import validate

from chatd.core.field_errors import NOT_SUPPORTED
from chatd.core.ids import ChannelId, RoleId, UserId
from chatd.core.models import GUILD_FEATURES, INVITES_DISABLED
from chatd.core.unset import UNSET, Maybe
from chatd.wire.base_schema import NULL_IS_ABSENT, Schema, T
from chatd.wire.fields import MAX_DATA_URI, BoolOrWord, IdList, Int, List, Snowflake, Timestamp
from chatd.wire.text_fields import Name, Text
from chatd.wire.unsupported import Unsupported, WithoutEffect
from chatd.wire.validators import FieldError, at_most, choice, length, within

LOCALES = (
    *("ar", "bg", "cs", "da", "de", "el", "en-GB", "en-US", "es-419", "es-ES", "fi", "fr", "he"),
    *("hi", "hr", "hu", "id", "it", "ja", "ko", "lt", "nl", "no", "pl", "pt-BR", "ro", "ru"),
    *("sv-SE", "th", "tr", "uk", "vi", "zh-CN", "zh-TW"),
)
"""Rule: Discord docs, Reference, "Locales"."""


@dataclass(frozen=True, slots=True)
class NewGuild:
    name: str
    description: str | None = None
    icon: str | None = None  # a data URI


@dataclass(frozen=True, slots=True)
class WidgetChange:
    """The settings of a widget, which can only stay disabled."""


@dataclass(frozen=True, slots=True)
class Prune:
    days: int = 7
    compute_prune_count: bool = True
    include_roles: Sequence[RoleId] = ()


@dataclass(frozen=True, slots=True)
class IncidentActions:
    """Until when invites, and direct messages between members, are paused. None ends it."""

    invites_disabled_until: Maybe[datetime | None] = UNSET
    dms_disabled_until: Maybe[datetime | None] = UNSET


@dataclass(frozen=True, slots=True)
class GuildChange:
    name: Maybe[str] = UNSET
    description: Maybe[str | None] = UNSET
    icon: Maybe[str | None] = UNSET  # a data URI
    system_channel_id: Maybe[ChannelId | None] = UNSET
    system_channel_flags: Maybe[int] = UNSET
    rules_channel_id: Maybe[ChannelId | None] = UNSET
    default_message_notifications: Maybe[int] = UNSET
    preferred_locale: Maybe[str] = UNSET
    owner_id: Maybe[UserId] = UNSET
    retention_days: Maybe[int | None] = UNSET
    features: Maybe[Sequence[str]] = UNSET
    code: str | None = field(default=None, repr=False)
    """A code of the second factor, for a new owner."""


_GUILD_NAME = length(2, 100)
_LOCALE = validate.OneOf(
    LOCALES,
    error=FieldError("BASE_TYPE_CHOICES", "Must be one of the locales of Discord's clients."),
)


_MAX_RETENTION_DAYS = 3650
"""Ten years; a guild that keeps its messages for longer needs no rule."""

_KNOWN_SYSTEM_CHANNEL_FLAGS = 63  # rule: Discord docs, Guild, "System Channel Flags"


class _SystemChannelFlags(Int):
    """The notices that a guild suppresses. Unknown flags are dropped: chatd has no such notices.

    discord.py sets flags up to 1 << 8.
    """

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        flags = super()._deserialize(value, attr, data, **kwargs)
        is_in_range = 0 <= flags < 2**31
        return flags & _KNOWN_SYSTEM_CHANNEL_FLAGS if is_in_range else flags


class _GuildSchema(Schema[T]):
    afk_channel_id = Unsupported("voice channels")
    afk_timeout = Unsupported("voice channels", 300)
    banner = Unsupported("banners")
    discovery_splash = Unsupported("discovery of guilds")
    explicit_content_filter = Unsupported("scanning files")
    home_header = Unsupported("banners")
    premium_progress_bar_enabled = Unsupported("boosts")
    public_updates_channel_id = Unsupported("notices to moderators")
    region = Unsupported("voice channels", "deprecated")
    safety_alerts_channel_id = Unsupported("notices to moderators")
    splash = Unsupported("banners")
    verification_level = Unsupported("verification levels; invitations limit who may register")


class NewGuildSchema(_GuildSchema[NewGuild]):
    into = NewGuild
    features = Unsupported("features of a new guild", list(GUILD_FEATURES))
    name = Name(required=True, validate=_GUILD_NAME)
    description = Text(allow_none=True, validate=length(0, 300))
    icon = Text(allow_none=True, validate=at_most(MAX_DATA_URI))


_CHANGEABLE = (*GUILD_FEATURES, INVITES_DISABLED)
_FEATURE = validate.OneOf(
    _CHANGEABLE,
    error=FieldError(NOT_SUPPORTED, f"Must be one of {', '.join(_CHANGEABLE)}."),
)


class GuildChangeSchema(_GuildSchema[GuildChange]):
    into = GuildChange
    name = Name(validate=_GUILD_NAME)
    description = Text(allow_none=True, validate=length(0, 300))
    icon = Text(allow_none=True, validate=at_most(MAX_DATA_URI))
    system_channel_id = Snowflake(allow_none=True)
    system_channel_flags = _SystemChannelFlags(validate=within(0, 2**31 - 1), **NULL_IS_ABSENT)
    owner_id = Snowflake()
    code = Text(validate=length(1, 64), **NULL_IS_ABSENT)
    rules_channel_id = Snowflake(allow_none=True)
    default_message_notifications = Int(validate=choice(0, 1), **NULL_IS_ABSENT)
    preferred_locale = Text(validate=_LOCALE, **NULL_IS_ABSENT)
    features = List(Text(validate=_FEATURE), validate=length(0, 100), **NULL_IS_ABSENT)
    retention_days = Int(allow_none=True, validate=within(1, _MAX_RETENTION_DAYS))


class IncidentActionsSchema(Schema[IncidentActions]):
    into = IncidentActions
    invites_disabled_until = Timestamp(allow_none=True)
    dms_disabled_until = Timestamp(allow_none=True)


class WidgetChangeSchema(Schema[WidgetChange]):
    into = WidgetChange
    enabled = Unsupported("widgets")
    channel_id = WithoutEffect("a widget that is disabled shows no channel")


class PruneSchema(Schema[Prune]):
    into = Prune
    days = Int(validate=within(1, 30), **NULL_IS_ABSENT)
    compute_prune_count = BoolOrWord(**NULL_IS_ABSENT)
    include_roles = IdList(validate=length(0, 250), **NULL_IS_ABSENT)

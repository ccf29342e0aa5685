"""Of guilds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from marshmallow import fields

from chatd.core.ids import ChannelId, RoleId, UserId
from chatd.wire.fields import (
    NULL_IS_ABSENT,
    UNSET,
    Bool,
    Int,
    Maybe,
    Schema,
    Snowflake,
    Text,
    length,
    within,
)


@dataclass(frozen=True, slots=True)
class NewGuild:
    name: str
    description: str | None = None
    icon: str | None = None  # a data URI


@dataclass(frozen=True, slots=True)
class Prune:
    days: int = 7
    compute_prune_count: bool = True
    include_roles: Sequence[RoleId] = ()


@dataclass(frozen=True, slots=True)
class GuildChange:
    name: Maybe[str] = UNSET
    description: Maybe[str | None] = UNSET
    icon: Maybe[str | None] = UNSET  # a data URI
    system_channel_id: Maybe[ChannelId | None] = UNSET
    system_channel_flags: Maybe[int] = UNSET
    owner_id: Maybe[UserId] = UNSET


_GUILD_NAME = length(2, 100)
_SLOWMODE = within(0, 21600)  # seconds


class NewGuildSchema(Schema[NewGuild]):
    into = NewGuild
    name = Text(required=True, trimmed=True, validate=_GUILD_NAME)
    description = Text(allow_none=True, validate=length(0, 300))
    icon = Text(allow_none=True)


class GuildChangeSchema(Schema[GuildChange]):
    into = GuildChange
    name = Text(trimmed=True, validate=_GUILD_NAME)
    description = Text(allow_none=True, validate=length(0, 300))
    icon = Text(allow_none=True)
    system_channel_id = Snowflake(allow_none=True)
    system_channel_flags = Int(validate=within(0, 63), **NULL_IS_ABSENT)
    owner_id = Snowflake()


class PruneSchema(Schema[Prune]):
    into = Prune
    days = Int(validate=within(1, 30), **NULL_IS_ABSENT)
    compute_prune_count = Bool(**NULL_IS_ABSENT)
    include_roles = fields.List(Snowflake(), validate=length(0, 250), **NULL_IS_ABSENT)

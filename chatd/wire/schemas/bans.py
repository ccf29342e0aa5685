"""Of bans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from marshmallow import fields

from chatd.core.ids import UserId
from chatd.wire.fields import (
    NULL_IS_ABSENT,
    Int,
    Schema,
    Snowflake,
    length,
    within,
)


@dataclass(frozen=True, slots=True)
class NewBan:
    delete_message_seconds: int = 0


@dataclass(frozen=True, slots=True)
class NewBans:
    user_ids: Sequence[UserId]
    delete_message_seconds: int = 0


_WEEK_S = 604800


class NewBanSchema(Schema[NewBan]):
    into = NewBan
    delete_message_seconds = Int(validate=within(0, _WEEK_S), **NULL_IS_ABSENT)


class NewBansSchema(Schema[NewBans]):
    into = NewBans
    user_ids = fields.List(Snowflake(), required=True, validate=length(1, 200))
    delete_message_seconds = Int(validate=within(0, _WEEK_S), **NULL_IS_ABSENT)

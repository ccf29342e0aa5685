"""Schemas of bans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chatd.core.ids import UserId
from chatd.wire.base_schema import NULL_IS_ABSENT, Schema
from chatd.wire.fields import Int, List, Snowflake
from chatd.wire.validators import length, within

_DAY_S = 86_400
_WEEK_S = 7 * _DAY_S

MAX_BANS = 200
"""Users of one bulk ban. Rule: Discord docs, "Bulk Guild Ban"."""


@dataclass(frozen=True, slots=True)
class NewBan:
    delete_message_seconds: int | None = None
    delete_message_days: int | None = None
    """Deprecated; ignored if `delete_message_seconds` is given."""

    @property
    def deleted_s(self) -> int:
        """Maximum age of the messages to delete, in seconds; 0 deletes none."""
        if self.delete_message_seconds is not None:
            return self.delete_message_seconds
        return (self.delete_message_days or 0) * _DAY_S


@dataclass(frozen=True, slots=True)
class NewBans:
    user_ids: Sequence[UserId]
    delete_message_seconds: int = 0


class NewBanSchema(Schema[NewBan]):
    into = NewBan
    delete_message_seconds = Int(validate=within(0, _WEEK_S), **NULL_IS_ABSENT)
    delete_message_days = Int(validate=within(0, 7), **NULL_IS_ABSENT)


class NewBansSchema(Schema[NewBans]):
    into = NewBans
    user_ids = List(Snowflake(), required=True, validate=length(1, MAX_BANS))
    delete_message_seconds = Int(validate=within(0, _WEEK_S), **NULL_IS_ABSENT)

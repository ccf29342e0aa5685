"""Of members."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from marshmallow import fields, validate

from chatd.core.ids import RoleId
from chatd.wire.fields import (
    NULL_IS_ABSENT,
    UNSET,
    Maybe,
    Moment,
    Problem,
    Schema,
    Snowflake,
    Text,
    length,
)


@dataclass(frozen=True, slots=True)
class MemberChange:
    nick: Maybe[str | None] = UNSET
    roles: Maybe[Sequence[RoleId]] = UNSET
    communication_disabled_until: Maybe[datetime | None] = UNSET


@dataclass(frozen=True, slots=True)
class OwnMemberChange:
    nick: Maybe[str | None] = UNSET


_NICK = validate.Length(
    max=32, error=Problem("BASE_TYPE_MAX_LENGTH", "Must be 32 or fewer in length.")
)


class MemberChangeSchema(Schema[MemberChange]):
    into = MemberChange
    nick = Text(allow_none=True, trimmed=True, validate=_NICK)
    roles = fields.List(Snowflake(), validate=length(0, 250), **NULL_IS_ABSENT)
    communication_disabled_until = Moment(allow_none=True)


class OwnMemberChangeSchema(Schema[OwnMemberChange]):
    into = OwnMemberChange
    nick = Text(allow_none=True, trimmed=True, validate=_NICK)

"""Of invites."""

from __future__ import annotations

from dataclasses import dataclass

from chatd.wire.fields import (
    NULL_IS_ABSENT,
    Bool,
    Int,
    Schema,
    within,
)


@dataclass(frozen=True, slots=True)
class NewInvite:
    max_age: int = 86400  # seconds; 0 is for ever
    max_uses: int = 0  # 0 is without end
    temporary: bool = False
    unique: bool = False


class NewInviteSchema(Schema[NewInvite]):
    into = NewInvite
    max_age = Int(validate=within(0, 604800), **NULL_IS_ABSENT)
    max_uses = Int(validate=within(0, 100), **NULL_IS_ABSENT)
    temporary = Bool(**NULL_IS_ABSENT)
    unique = Bool(**NULL_IS_ABSENT)


@dataclass(frozen=True, slots=True)
class Nothing:
    """Of a request that needs no body."""


class NothingSchema(Schema[Nothing]):
    into = Nothing

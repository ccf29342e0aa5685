"""Schemas of invites."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from chatd.wire.base_schema import NULL_IS_ABSENT, Schema
from chatd.wire.fields import Bool, IntOrDigits
from chatd.wire.unsupported import Unsupported
from chatd.wire.validators import within

MAX_AGE_S: Final = 60 * 86400
"""Rule: Discord's OpenAPI document."""


@dataclass(frozen=True, slots=True)
class NewInvite:
    max_age: int = 86400  # seconds; 0 means unlimited
    max_uses: int = 0  # 0 means unlimited
    temporary: bool = False
    unique: bool = False


class NewInviteSchema(Schema[NewInvite]):
    into = NewInvite
    max_age = IntOrDigits(validate=within(0, MAX_AGE_S), **NULL_IS_ABSENT)
    max_uses = IntOrDigits(validate=within(0, 100), **NULL_IS_ABSENT)
    temporary = Bool(**NULL_IS_ABSENT)
    unique = Bool(**NULL_IS_ABSENT)
    role_ids = Unsupported("roles by invite")
    target_type = Unsupported("invites to streams and activities")
    target_user_id = Unsupported("invites to streams")
    target_application_id = Unsupported("invites to activities")
    target_users_file = Unsupported("invites for a list of users")


@dataclass(frozen=True, slots=True)
class Nothing:
    """The body of a request that needs none."""


class EmptySchema(Schema[Nothing]):
    into = Nothing

"""Schemas of invites."""

from __future__ import annotations

from dataclasses import dataclass

from chatd.wire.base_schema import NULL_IS_ABSENT, Schema
from chatd.wire.fields import Bool, Int
from chatd.wire.unsupported import Unsupported
from chatd.wire.validators import within


@dataclass(frozen=True, slots=True)
class NewInvite:
    max_age: int = 86400  # seconds; 0 means unlimited
    max_uses: int = 0  # 0 means unlimited
    temporary: bool = False
    unique: bool = False


class NewInviteSchema(Schema[NewInvite]):
    into = NewInvite
    max_age = Int(validate=within(0, 604800), **NULL_IS_ABSENT)
    max_uses = Int(validate=within(0, 100), **NULL_IS_ABSENT)
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

"""Of roles."""

from __future__ import annotations

from dataclasses import dataclass

from marshmallow import validate

from chatd.core.ids import RoleId
from chatd.wire.fields import (
    NAME,
    POSITION,
    UNSET,
    Bool,
    Int,
    Maybe,
    PermissionBits,
    Problem,
    Schema,
    Snowflake,
    Text,
    within,
)


@dataclass(frozen=True, slots=True)
class NewRole:
    name: str = "new role"
    permissions: int | None = None
    color: int = 0
    hoist: bool = False
    mentionable: bool = False


@dataclass(frozen=True, slots=True)
class RoleChange:
    name: Maybe[str] = UNSET
    permissions: Maybe[int] = UNSET
    color: Maybe[int] = UNSET
    hoist: Maybe[bool] = UNSET
    mentionable: Maybe[bool] = UNSET


@dataclass(frozen=True, slots=True)
class RoleMove:
    id: RoleId
    position: int


_COLOR = within(0, 0xFFFFFF)
_NICK = validate.Length(
    max=32, error=Problem("BASE_TYPE_MAX_LENGTH", "Must be 32 or fewer in length.")
)
_WEEK_S = 604800


class NewRoleSchema(Schema[NewRole]):
    into = NewRole
    name = Text(trimmed=True, validate=NAME)
    permissions = PermissionBits(allow_none=True)
    color = Int(validate=_COLOR)
    hoist = Bool()
    mentionable = Bool()


class RoleChangeSchema(Schema[RoleChange]):
    into = RoleChange
    name = Text(trimmed=True, validate=NAME)
    permissions = PermissionBits()
    color = Int(validate=_COLOR)
    hoist = Bool()
    mentionable = Bool()


class RoleMoveSchema(Schema[RoleMove]):
    into = RoleMove
    id = Snowflake(required=True)
    position = Int(required=True, validate=POSITION)

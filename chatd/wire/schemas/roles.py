"""Of roles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import marshmallow as ma
from marshmallow import validate

from chatd.core.ids import RoleId
from chatd.wire.fields import (
    NAME,
    NULL_IS_ABSENT,
    POSITION,
    UNSET,
    Bool,
    Int,
    Maybe,
    Nested,
    PermissionBits,
    Problem,
    Schema,
    Snowflake,
    T,
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
class WantedColors:
    """A gradient of up to three colours, of which the first one counts."""

    primary_color: int
    secondary_color: int | None = None
    tertiary_color: int | None = None


@dataclass(frozen=True, slots=True)
class RoleMove:
    id: RoleId
    position: int


_COLOR = within(0, 0xFFFFFF)
_NICK = validate.Length(
    max=32, error=Problem("BASE_TYPE_MAX_LENGTH", "Must be 32 or fewer in length.")
)
_WEEK_S = 604800


class WantedColorsSchema(Schema[WantedColors]):
    into = WantedColors
    primary_color = Int(required=True, validate=_COLOR)
    secondary_color = Int(allow_none=True, validate=_COLOR)
    tertiary_color = Int(allow_none=True, validate=_COLOR)


class _RoleSchema(Schema[T]):
    """`colors` is the newer way to say `color`, and goes before it. Roles here have one colour."""

    name = Text(trimmed=True, validate=NAME, **NULL_IS_ABSENT)
    permissions = PermissionBits(**NULL_IS_ABSENT)
    color = Int(validate=_COLOR, **NULL_IS_ABSENT)
    colors = Nested(WantedColorsSchema, **NULL_IS_ABSENT)
    hoist = Bool(**NULL_IS_ABSENT)
    mentionable = Bool(**NULL_IS_ABSENT)

    @ma.post_load
    def _into(self, data: dict[str, Any], **_: Any) -> Any:
        colors = data.pop("colors", None)
        if colors is not None:
            data["color"] = colors.primary_color
        return self.into(**data)


class NewRoleSchema(_RoleSchema[NewRole]):
    into = NewRole


class RoleChangeSchema(_RoleSchema[RoleChange]):
    into = RoleChange


class RoleMoveSchema(Schema[RoleMove]):
    into = RoleMove
    id = Snowflake(required=True)
    position = Int(required=True, validate=POSITION)

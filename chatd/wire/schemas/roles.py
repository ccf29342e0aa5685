"""Schemas of roles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import marshmallow as ma

from chatd.core.ids import RoleId
from chatd.core.unset import UNSET, Maybe
from chatd.wire.base_schema import NULL_IS_ABSENT, Schema, T
from chatd.wire.fields import Bool, Int, Nested, PermissionBits, Snowflake
from chatd.wire.text_fields import Name
from chatd.wire.unsupported import Unsupported
from chatd.wire.validators import NAME, POSITION, within


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
class RoleColorsInput:
    """The newer form of `color`; chatd supports one color."""

    primary_color: int


@dataclass(frozen=True, slots=True)
class RoleMove:
    id: RoleId
    position: Maybe[int] = UNSET


_COLOR = within(0, 0xFFFFFF)


class RoleColorsInputSchema(Schema[RoleColorsInput]):
    into = RoleColorsInput
    primary_color = Int(required=True, validate=_COLOR)
    secondary_color = Unsupported("gradients")
    tertiary_color = Unsupported("gradients")


class _RoleSchema(Schema[T]):
    """`colors` is the newer form of `color` and takes precedence. chatd supports one color."""

    name = Name(validate=NAME, **NULL_IS_ABSENT)
    permissions = PermissionBits(**NULL_IS_ABSENT)
    color = Int(validate=_COLOR, **NULL_IS_ABSENT)
    colors = Nested(RoleColorsInputSchema, **NULL_IS_ABSENT)
    hoist = Bool(**NULL_IS_ABSENT)
    mentionable = Bool(**NULL_IS_ABSENT)
    icon = Unsupported("icons of roles")
    unicode_emoji = Unsupported("icons of roles")

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
    position = Int(validate=POSITION, **NULL_IS_ABSENT)

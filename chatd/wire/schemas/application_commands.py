"""Schemas of application commands and of their permissions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import marshmallow as ma
from marshmallow import ValidationError

from chatd.core.commands import (
    MAX_DESCRIPTION,
    MAX_NAME,
    MAX_PERMISSIONS,
    NO_OPTIONS,
    CommandOverwrite,
    CommandType,
    InteractionContext,
    Localizations,
    Options,
    PermissionTarget,
)
from chatd.core.installation import IntegrationType
from chatd.core.unset import UNSET, Maybe
from chatd.wire.base_schema import NULL_IS_ABSENT, Schema, T
from chatd.wire.command_fields import (
    OVERSIZED,
    TOO_LARGE,
    DefaultPermissions,
    Kind,
    OptionList,
    TranslatedText,
)
from chatd.wire.fields import Bool, Int, List, Nested, Snowflake
from chatd.wire.text_fields import Name, Text
from chatd.wire.unsupported import Unsupported
from chatd.wire.validators import at_most, choice, length, unique


@dataclass(frozen=True, slots=True)
class NewCommand:
    name: str
    type: CommandType = CommandType.CHAT_INPUT
    name_localizations: Localizations | None = None
    description: str = ""
    description_localizations: Localizations | None = None
    options: Options = NO_OPTIONS
    default_member_permissions: int | None = None
    dm_permission: bool = True  # deprecated: it was once instead of contexts
    default_permission: bool = True  # deprecated: false is default_member_permissions 0
    nsfw: bool = False
    contexts: Sequence[int] | None = None
    integration_types: Sequence[int] | None = None


@dataclass(frozen=True, slots=True)
class ListedCommand(NewCommand):
    """A command in the list that replaces all others."""

    id: int | None = None
    """The command that this one replaces; without it, the one with the same type and name."""


@dataclass(frozen=True, slots=True)
class CommandChange:
    name: Maybe[str] = UNSET
    name_localizations: Maybe[Localizations | None] = UNSET
    description: Maybe[str] = UNSET
    description_localizations: Maybe[Localizations | None] = UNSET
    options: Maybe[Options] = UNSET
    default_member_permissions: Maybe[int | None] = UNSET
    dm_permission: Maybe[bool] = UNSET
    default_permission: Maybe[bool] = UNSET
    nsfw: Maybe[bool] = UNSET
    contexts: Maybe[Sequence[int] | None] = UNSET
    integration_types: Maybe[Sequence[int] | None] = UNSET


class _CommandSchema(Schema[T]):
    name = Name(validate=length(1, MAX_NAME))
    name_localizations = TranslatedText(MAX_NAME, allow_none=True)
    description = Text(validate=at_most(MAX_DESCRIPTION), **NULL_IS_ABSENT)
    description_localizations = TranslatedText(MAX_DESCRIPTION, allow_none=True)
    options = OptionList(allow_none=True)
    default_member_permissions = DefaultPermissions(allow_none=True)
    dm_permission = Bool(**NULL_IS_ABSENT)
    default_permission = Bool(**NULL_IS_ABSENT)
    nsfw = Bool(**NULL_IS_ABSENT)
    contexts = List(
        Int(validate=choice(*InteractionContext)),
        validate=[length(1, len(InteractionContext)), unique],
        allow_none=True,
    )
    integration_types = List(
        Int(validate=choice(*IntegrationType)),
        validate=[length(1, len(IntegrationType)), unique],
        allow_none=True,
    )
    handler = Unsupported("activities")

    @ma.post_load
    def _into(self, data: dict[str, Any], **_: Any) -> Any:
        if data.get("options") is OVERSIZED:
            raise ValidationError({"_schema": [TOO_LARGE]})
        if "options" in data and data["options"] is None:
            data["options"] = NO_OPTIONS
        return self.into(**data)


class _NewCommandSchema(_CommandSchema[T]):
    name = Name(required=True, validate=length(1, MAX_NAME))
    type = Kind(**NULL_IS_ABSENT)


class NewCommandSchema(_NewCommandSchema[NewCommand]):
    into = NewCommand


class ListedCommandSchema(_NewCommandSchema[ListedCommand]):
    into = ListedCommand
    id = Snowflake(**NULL_IS_ABSENT)


class CommandChangeSchema(_CommandSchema[CommandChange]):
    into = CommandChange


@dataclass(frozen=True, slots=True)
class PermissionsChange:
    permissions: Sequence[CommandOverwrite] = ()


class CommandOverwriteInputSchema(Schema[CommandOverwrite]):
    into = CommandOverwrite
    id = Snowflake(required=True, attribute="target_id")
    type = Int(required=True, validate=choice(*PermissionTarget))
    permission = Bool(required=True)

    @ma.post_load
    def _into(self, data: dict[str, Any], **_: Any) -> CommandOverwrite:
        kind = PermissionTarget(data["type"])
        return CommandOverwrite(data["target_id"], kind, data["permission"])


class PermissionsChangeSchema(Schema[PermissionsChange]):
    into = PermissionsChange
    permissions = List(
        Nested(CommandOverwriteInputSchema),
        validate=[at_most(MAX_PERMISSIONS), unique],
        **NULL_IS_ABSENT,
    )

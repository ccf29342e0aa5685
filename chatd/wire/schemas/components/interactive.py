"""Schemas of the components that users operate in messages: buttons and selects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from marshmallow import ValidationError, fields

from chatd.core.components import ComponentType
from chatd.core.field_errors import NOT_SUPPORTED
from chatd.wire.base_schema import NULL_IS_ABSENT
from chatd.wire.fields import Bool, Int, List, Nested
from chatd.wire.schemas.components.base import (
    CUSTOM_ID,
    ComponentSchema,
    custom_id_field,
    type_field,
)
from chatd.wire.schemas.components.elements import (
    DefaultChannelInputSchema,
    DefaultMentionableInputSchema,
    DefaultRoleInputSchema,
    DefaultUserInputSchema,
    EmojiInputSchema,
    SelectOptionInputSchema,
    Url,
)
from chatd.wire.text_fields import Text
from chatd.wire.unsupported import Derived, Unsupported
from chatd.wire.validators import FieldError, at_most, choice, length, within

_LINK: Final = 5
_PREMIUM: Final = 6

_REQUIRED: Final = FieldError("BASE_TYPE_REQUIRED", "This field is required")
_CUSTOM_ID_REQUIRED: Final = FieldError(
    "BUTTON_COMPONENT_CUSTOM_ID_REQUIRED", "A custom id is required"
)
_CUSTOM_ID_AND_URL: Final = FieldError(
    "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE",
    "A custom id and url cannot both be specified",
)
_DUPLICATE_OPTION: Final = FieldError(
    "COMPONENT_OPTION_VALUE_DUPLICATED", "The specified option value is already used"
)
_TOO_MANY_DEFAULTS: Final = FieldError(
    "SELECT_COMPONENT_TOO_MANY_DEFAULT_VALUES",
    "The number of default options exceeds the maximum number of values",
)

MAX_OPTIONS: Final = 25

_CHANNEL_TYPES: Final = (0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15)
"""All types of channels that Discord documents: a select may name those that there are not here."""


def _not_premium(style: int) -> None:
    if style == _PREMIUM:
        text = "This server does not support premium buttons."
        raise ValidationError(FieldError(NOT_SUPPORTED, text))


class ButtonInputSchema(ComponentSchema):
    """A button. A link button (style 5) has a URL; every other one has a custom id."""

    kind = ComponentType.BUTTON
    type = type_field(kind)
    style = Int(required=True, validate=[_not_premium, choice(1, 2, 3, 4, _LINK)])
    label = Text(allow_none=True, validate=at_most(80))
    emoji = Nested(EmojiInputSchema, allow_none=True)
    custom_id = Text(allow_none=True, validate=CUSTOM_ID)
    url = Url(512, "http", "https", "discord", allow_none=True)
    disabled = Bool(**NULL_IS_ABSENT)
    sku_id = Unsupported("premium buttons")

    def problems(self, component: dict[str, Any]) -> dict[str, Any]:
        is_link = component["style"] == _LINK
        if "custom_id" in component and "url" in component:
            return {key: [_CUSTOM_ID_AND_URL] for key in ("custom_id", "url")}
        if is_link and "url" not in component:
            return {"url": [_REQUIRED]}
        if not is_link and "custom_id" not in component:
            return {"custom_id": [_CUSTOM_ID_REQUIRED]}
        if not component.get("label") and "emoji" not in component:
            return {"label": [_REQUIRED]}
        return {}


class SelectSchema(ComponentSchema):
    """The base of all selects."""

    defaults: ClassVar[Mapping[str, Any]] = {"min_values": 1, "max_values": 1}

    custom_id = custom_id_field()
    placeholder = Text(allow_none=True, validate=at_most(150))
    min_values = Int(validate=within(0, MAX_OPTIONS), **NULL_IS_ABSENT)
    max_values = Int(validate=within(1, MAX_OPTIONS), **NULL_IS_ABSENT)
    disabled = Bool(**NULL_IS_ABSENT)
    required: fields.Field[Any] = Derived()  # has no effect in messages

    def problems(self, component: dict[str, Any]) -> dict[str, Any]:
        low, high = component.get("min_values", 1), component.get("max_values", 1)
        if low > high:
            return {"min_values": [above_maximum(high)]}
        default_values = component.get("default_values")
        if default_values and not low <= len(default_values) <= high:
            return {"default_values": [_bad_length(low, high)]}
        return {}


def above_maximum(high: int) -> FieldError:
    """Return the error of a number above this one."""
    return FieldError("NUMBER_TYPE_MAX", f"int value should be less than or equal to {high}.")


def _bad_length(low: int, high: int) -> FieldError:
    return FieldError("BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length.")


class StringSelectInputSchema(SelectSchema):
    kind = ComponentType.STRING_SELECT
    type = type_field(kind)
    options = List(Nested(SelectOptionInputSchema), required=True, validate=length(1, MAX_OPTIONS))

    def problems(self, component: dict[str, Any]) -> dict[str, Any]:
        return super().problems(component) or option_problems(
            component["options"], component.get("max_values", 1), MAX_OPTIONS
        )


def option_problems(
    options: Sequence[Mapping[str, Any]], max_values: int, max_options: int
) -> dict[str, Any]:
    """Return the errors of options that are too few, have the same value, or too many defaults."""
    if len(options) < max_values:
        return {"options": [_bad_length(max_values, max_options)]}
    seen: set[str] = set()
    for index, each in enumerate(options):
        if each["value"] in seen:
            return {"options": {index: {"value": [_DUPLICATE_OPTION]}}}
        seen.add(each["value"])
    if sum(each.get("default", False) for each in options) > max_values:
        return {"options": [_TOO_MANY_DEFAULTS]}
    return {}


def _default_values(schema: type[Any]) -> List:
    return List(Nested(schema), allow_none=True, validate=length(0, MAX_OPTIONS))


class UserSelectInputSchema(SelectSchema):
    kind = ComponentType.USER_SELECT
    type = type_field(kind)
    default_values = _default_values(DefaultUserInputSchema)


class RoleSelectInputSchema(SelectSchema):
    kind = ComponentType.ROLE_SELECT
    type = type_field(kind)
    default_values = _default_values(DefaultRoleInputSchema)


class MentionableSelectInputSchema(SelectSchema):
    kind = ComponentType.MENTIONABLE_SELECT
    type = type_field(kind)
    default_values = _default_values(DefaultMentionableInputSchema)


class ChannelSelectInputSchema(SelectSchema):
    kind = ComponentType.CHANNEL_SELECT
    type = type_field(kind)
    default_values = _default_values(DefaultChannelInputSchema)
    channel_types = List(
        Int(validate=choice(*_CHANNEL_TYPES)),
        allow_none=True,
        validate=[length(0, len(_CHANNEL_TYPES))],
    )

    def problems(self, component: dict[str, Any]) -> dict[str, Any]:
        types = component.get("channel_types", ())
        if len(set(types)) < len(types):
            text = "Set already contains this value"
            return {"channel_types": [FieldError("SET_TYPE_ALREADY_CONTAINS_VALUE", text)]}
        return super().problems(component)

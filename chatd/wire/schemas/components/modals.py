"""Schemas of the components of modals: forms that a user fills in.

Rule: Discord docs, "Component Reference", and Interactions, "Modal".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from marshmallow import ValidationError, fields

from chatd.core.components import ComponentType
from chatd.wire.base_schema import NULL_IS_ABSENT
from chatd.wire.fields import Bool, Int, List, Nested
from chatd.wire.schemas.components.base import (
    ByType,
    ComponentList,
    ComponentSchema,
    custom_id_field,
    type_field,
)
from chatd.wire.schemas.components.elements import OptionInputSchema
from chatd.wire.schemas.components.interactive import (
    ChannelSelectInputSchema,
    MentionableSelectInputSchema,
    RoleSelectInputSchema,
    StringSelectInputSchema,
    UserSelectInputSchema,
    above_maximum,
    option_problems,
)
from chatd.wire.schemas.components.layout import TextDisplayInputSchema
from chatd.wire.text_fields import Text
from chatd.wire.validators import FieldError, at_most, choice, length, within

MAX_CHOICES: Final = 10
"""Maximum options of a radio group or a checkbox group, and files of a file upload."""

MAX_INPUT: Final = 4000
"""Maximum characters of a text input."""

_MAX_TOP_LEVEL: Final = 5
_LABEL: Final = length(1, 45)

_REQUIRED: Final = FieldError("BASE_TYPE_REQUIRED", "This field is required")
_TOO_WIDE: Final = FieldError(
    "COMPONENT_LAYOUT_WIDTH_EXCEEDED", "The specified component exceeds the maximum width"
)
_NO_DISABLED: Final = FieldError("BASE_TYPE_INVALID", "A modal cannot contain disabled components.")


class TextInputInputSchema(ComponentSchema):
    """A field for one line of text (style 1), or for several (style 2)."""

    kind = ComponentType.TEXT_INPUT
    defaults: ClassVar[Mapping[str, Any]] = {
        "label": None,
        "min_length": None,
        "max_length": None,
    }
    type = type_field(kind)
    custom_id = custom_id_field()
    style = Int(required=True, validate=choice(1, 2))
    label = Text(allow_none=True, validate=_LABEL)
    value = Text(allow_none=True, validate=at_most(MAX_INPUT))
    placeholder = Text(allow_none=True, validate=at_most(100))
    required = Bool(**NULL_IS_ABSENT)
    min_length = Int(allow_none=True, validate=within(0, MAX_INPUT))
    max_length = Int(allow_none=True, validate=within(1, MAX_INPUT))

    def problems(self, component: dict[str, Any]) -> dict[str, Any]:
        high = component.get("max_length", MAX_INPUT)
        if component.get("min_length", 0) > high:
            return {"min_length": [above_maximum(high)]}
        if len(component.get("value", "")) > high:
            text = f"Must be {high} or fewer in length."
            return {"value": [FieldError("BASE_TYPE_MAX_LENGTH", text)]}
        return {}


class ModalActionRowInputSchema(ComponentSchema):
    """A row with one text input, which has its own label."""

    kind = ComponentType.ACTION_ROW
    type = type_field(kind)
    components = List(ByType(TextInputInputSchema), required=True, validate=length(1, 5))

    def problems(self, component: dict[str, Any]) -> dict[str, Any]:
        inside = component["components"]
        if len(inside) > 1:
            return {"components": {1: [_TOO_WIDE]}}
        if inside[0]["label"] is None:
            return {"components": {0: {"label": [_REQUIRED]}}}
        return {}


def _enabled(disabled: bool) -> None:
    if disabled:
        raise ValidationError(_NO_DISABLED)


class _InModal(ComponentSchema):
    """What selects have in modals: `required`, which has no effect in messages."""

    required: fields.Field[Any] = Bool(**NULL_IS_ABSENT)
    disabled = Bool(validate=_enabled, **NULL_IS_ABSENT)


class ModalStringSelectInputSchema(_InModal, StringSelectInputSchema):
    pass


class ModalUserSelectInputSchema(_InModal, UserSelectInputSchema):
    pass


class ModalRoleSelectInputSchema(_InModal, RoleSelectInputSchema):
    pass


class ModalMentionableSelectInputSchema(_InModal, MentionableSelectInputSchema):
    pass


class ModalChannelSelectInputSchema(_InModal, ChannelSelectInputSchema):
    pass


class FileUploadInputSchema(ComponentSchema):
    kind = ComponentType.FILE_UPLOAD
    defaults: ClassVar[Mapping[str, Any]] = {"min_values": 1, "max_values": 1}
    type = type_field(kind)
    custom_id = custom_id_field()
    min_values = Int(validate=within(0, MAX_CHOICES), **NULL_IS_ABSENT)
    max_values = Int(validate=within(1, MAX_CHOICES), **NULL_IS_ABSENT)
    required = Bool(**NULL_IS_ABSENT)

    def problems(self, component: dict[str, Any]) -> dict[str, Any]:
        high = component.get("max_values", 1)
        if component.get("min_values", 1) > high:
            return {"min_values": [above_maximum(high)]}
        return {}


class RadioGroupInputSchema(ComponentSchema):
    """Options; a user can choose one."""

    kind = ComponentType.RADIO_GROUP
    type = type_field(kind)
    custom_id = custom_id_field()
    options = List(Nested(OptionInputSchema), required=True, validate=length(2, MAX_CHOICES))
    required = Bool(**NULL_IS_ABSENT)

    def problems(self, component: dict[str, Any]) -> dict[str, Any]:
        return option_problems(component["options"], 1, MAX_CHOICES)


class CheckboxGroupInputSchema(ComponentSchema):
    """Options; a user can choose up to `max_values` of them, by default all."""

    kind = ComponentType.CHECKBOX_GROUP
    type = type_field(kind)
    custom_id = custom_id_field()
    options = List(Nested(OptionInputSchema), required=True, validate=length(1, MAX_CHOICES))
    min_values = Int(validate=within(0, MAX_CHOICES), **NULL_IS_ABSENT)
    max_values = Int(validate=within(1, MAX_CHOICES), **NULL_IS_ABSENT)
    required = Bool(**NULL_IS_ABSENT)

    def problems(self, component: dict[str, Any]) -> dict[str, Any]:
        high = component.get("max_values", len(component["options"]))
        if component.get("min_values", 1) > high:
            return {"min_values": [above_maximum(high)]}
        return option_problems(component["options"], high, MAX_CHOICES)


class CheckboxInputSchema(ComponentSchema):
    kind = ComponentType.CHECKBOX
    type = type_field(kind)
    custom_id = custom_id_field()
    default = Bool(**NULL_IS_ABSENT)


class LabelInputSchema(ComponentSchema):
    """A field of the form, with a label above it."""

    kind = ComponentType.LABEL
    type = type_field(kind)
    label = Text(required=True, validate=_LABEL)
    description = Text(allow_none=True, validate=length(1, 100))
    component = ByType(
        TextInputInputSchema,
        ModalStringSelectInputSchema,
        ModalUserSelectInputSchema,
        ModalRoleSelectInputSchema,
        ModalMentionableSelectInputSchema,
        ModalChannelSelectInputSchema,
        FileUploadInputSchema,
        RadioGroupInputSchema,
        CheckboxGroupInputSchema,
        CheckboxInputSchema,
        required=True,
    )


def modal_components() -> ComponentList:
    """Return the field `components` of a modal. It loads into a list of components with ids."""
    return ComponentList(
        ModalActionRowInputSchema,
        LabelInputSchema,
        TextDisplayInputSchema,
        required=True,
        validate=length(1, _MAX_TOP_LEVEL),
    )

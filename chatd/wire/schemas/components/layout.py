"""Schemas of the components that make up a message: rows, texts, pictures, files, containers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from chatd.core.components import SELECTS, ComponentType
from chatd.wire.base_schema import NULL_IS_ABSENT
from chatd.wire.fields import Bool, Int, List, Nested
from chatd.wire.schemas.components.base import (
    MAX_COMPONENTS,
    ByType,
    ComponentList,
    ComponentSchema,
    type_field,
)
from chatd.wire.schemas.components.elements import (
    GalleryItemInputSchema,
    MediaInputSchema,
    media_description,
)
from chatd.wire.schemas.components.interactive import (
    ButtonInputSchema,
    ChannelSelectInputSchema,
    MentionableSelectInputSchema,
    RoleSelectInputSchema,
    StringSelectInputSchema,
    UserSelectInputSchema,
)
from chatd.wire.text_fields import Text
from chatd.wire.validators import FieldError, choice, length, within

MAX_TEXT: Final = 4000
"""Maximum characters of all text displays of a message together."""

_TOO_WIDE: Final = FieldError(
    "COMPONENT_LAYOUT_WIDTH_EXCEEDED", "The specified component exceeds the maximum width"
)
_BLANK: Final = FieldError("BASE_TYPE_REQUIRED", "This field is required")


class ActionRowInputSchema(ComponentSchema):
    """Up to five buttons next to each other, or one select."""

    kind = ComponentType.ACTION_ROW
    type = type_field(kind)
    components = List(
        ByType(
            ButtonInputSchema,
            StringSelectInputSchema,
            UserSelectInputSchema,
            RoleSelectInputSchema,
            MentionableSelectInputSchema,
            ChannelSelectInputSchema,
        ),
        required=True,
        validate=length(1, 5),
    )

    def problems(self, component: dict[str, Any]) -> dict[str, Any]:
        inside = component["components"]
        if len(inside) > 1 and any(each["type"] in SELECTS for each in inside):
            return {"components": {1: [_TOO_WIDE]}}
        return {}


class TextDisplayInputSchema(ComponentSchema):
    kind = ComponentType.TEXT_DISPLAY
    type = type_field(kind)
    content = Text(required=True, validate=length(1, MAX_TEXT))

    def problems(self, component: dict[str, Any]) -> dict[str, Any]:
        return {"content": [_BLANK]} if component["content"].isspace() else {}


class ThumbnailInputSchema(ComponentSchema):
    """A small picture next to a text."""

    kind = ComponentType.THUMBNAIL
    defaults: ClassVar[Mapping[str, Any]] = {"description": None, "spoiler": False}
    type = type_field(kind)
    media = Nested(MediaInputSchema, required=True)
    description = media_description()
    spoiler = Bool(**NULL_IS_ABSENT)


class SectionInputSchema(ComponentSchema):
    """Texts with a button or a picture next to them."""

    kind = ComponentType.SECTION
    type = type_field(kind)
    components = List(ByType(TextDisplayInputSchema), required=True, validate=length(1, 3))
    accessory = ByType(ButtonInputSchema, ThumbnailInputSchema, required=True)


class MediaGalleryInputSchema(ComponentSchema):
    kind = ComponentType.MEDIA_GALLERY
    type = type_field(kind)
    items = List(Nested(GalleryItemInputSchema), required=True, validate=length(1, 10))


class FileInputSchema(ComponentSchema):
    """A file of the message, shown here."""

    kind = ComponentType.FILE
    defaults: ClassVar[Mapping[str, Any]] = {"spoiler": False}
    type = type_field(kind)
    file = Nested(MediaInputSchema, required=True)
    spoiler = Bool(**NULL_IS_ABSENT)


class SeparatorInputSchema(ComponentSchema):
    kind = ComponentType.SEPARATOR
    defaults: ClassVar[Mapping[str, Any]] = {"spacing": 1, "divider": True}
    type = type_field(kind)
    spacing = Int(validate=choice(1, 2), **NULL_IS_ABSENT)
    divider = Bool(**NULL_IS_ABSENT)


_IN_CONTAINERS: Final = (
    ActionRowInputSchema,
    SectionInputSchema,
    TextDisplayInputSchema,
    MediaGalleryInputSchema,
    FileInputSchema,
    SeparatorInputSchema,
)


class ContainerInputSchema(ComponentSchema):
    """A box around other components."""

    kind = ComponentType.CONTAINER
    defaults: ClassVar[Mapping[str, Any]] = {"accent_color": None, "spoiler": False}
    type = type_field(kind)
    components = List(ByType(*_IN_CONTAINERS), required=True, validate=length(1, MAX_COMPONENTS))
    accent_color = Int(allow_none=True, validate=within(0, 0xFFFFFF))
    spoiler = Bool(**NULL_IS_ABSENT)


def message_components() -> ComponentList:
    """Return the field `components` of a message. It loads into a list of components with ids.

    Which of them a message may have depends on its flags: `rules.layout_errors` checks that.
    """
    return ComponentList(
        *_IN_CONTAINERS,
        ContainerInputSchema,
        allow_none=True,
        validate=length(0, MAX_COMPONENTS),
    )

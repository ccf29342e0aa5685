"""Responses: the components of messages."""

from __future__ import annotations

from typing import Any

from chatd.core.components import ComponentType
from chatd.core.json import JsonObject
from chatd.wire.json_schema import (
    BOOL,
    COUNT,
    ID,
    INT,
    STRING,
    ResponseSchema,
    array_of,
    nullable,
    object_schema,
    one_of,
)

_EMOJI = object_schema(
    "ComponentEmoji",
    "An emoji of a button or an option: a Unicode emoji, or a custom one with its id.",
    {"name": STRING},
    {"id": ID, "animated": BOOL},
)
_MEDIUM = object_schema(
    "ComponentMedia",
    "A picture, a video or a file: of the message, or of another site.",
    {
        "id": ID,
        "url": STRING,
        "proxy_url": STRING,
        "width": nullable(INT),
        "height": nullable(INT),
        "content_type": nullable(STRING),
    },
    {"attachment_id": ID},
)


def _component(
    name: str,
    about: str,
    kind: ComponentType,
    required: dict[str, Any],
    optional: dict[str, Any] | None = None,
) -> ResponseSchema:
    fields = {"type": one_of(int(kind)), "id": COUNT, **required}
    return object_schema(name, about, fields, optional)


def _any_of(*schemas: ResponseSchema) -> JsonObject:
    return {"anyOf": list(schemas)}


_BUTTON = _component(
    "Button",
    "A button.",
    ComponentType.BUTTON,
    {"style": one_of(1, 2, 3, 4, 5)},
    {"label": STRING, "emoji": _EMOJI, "custom_id": STRING, "url": STRING, "disabled": BOOL},
)


def _select(
    name: str, kind: ComponentType, values: str, of: str = "", **fields: Any
) -> ResponseSchema:
    """Return the schema of a select; `of` is the type of its default values."""
    required = {"custom_id": STRING, "min_values": COUNT, "max_values": COUNT}
    optional: JsonObject = {"placeholder": STRING, "disabled": BOOL}
    if of:
        default = object_schema(
            f"{name}Default",
            f"A default value of a select for {values}.",
            {"id": ID, "type": one_of(*of.split())},
        )
        optional["default_values"] = array_of(default)
    if "options" in fields:
        required["options"] = fields.pop("options")
    about = f"A select for {values}."
    return _component(name, about, kind, required, {**optional, **fields})


_SELECTS = (
    _select(
        "StringSelect",
        ComponentType.STRING_SELECT,
        "options",
        options=array_of(
            object_schema(
                "SelectOption",
                "An option of a select.",
                {"label": STRING, "value": STRING},
                {"description": STRING, "emoji": _EMOJI, "default": BOOL},
            )
        ),
    ),
    _select("UserSelect", ComponentType.USER_SELECT, "users", "user"),
    _select("RoleSelect", ComponentType.ROLE_SELECT, "roles", "role"),
    _select("MentionableSelect", ComponentType.MENTIONABLE_SELECT, "users and roles", "user role"),
    _select(
        "ChannelSelect",
        ComponentType.CHANNEL_SELECT,
        "channels",
        "channel",
        channel_types=array_of(INT),
    ),
)
_ACTION_ROW = _component(
    "ActionRow",
    "Up to five buttons next to each other, or one select.",
    ComponentType.ACTION_ROW,
    {"components": array_of(_any_of(_BUTTON, *_SELECTS))},
)
_TEXT_DISPLAY = _component(
    "TextDisplay", "A text with markdown.", ComponentType.TEXT_DISPLAY, {"content": STRING}
)
_PICTURE: JsonObject = {"media": _MEDIUM, "description": nullable(STRING), "spoiler": BOOL}
_THUMBNAIL = _component(
    "Thumbnail", "A small picture next to a text.", ComponentType.THUMBNAIL, _PICTURE
)
_SECTION = _component(
    "Section",
    "Texts with a button or a picture next to them.",
    ComponentType.SECTION,
    {"components": array_of(_TEXT_DISPLAY), "accessory": _any_of(_BUTTON, _THUMBNAIL)},
)
_MEDIA_GALLERY = _component(
    "MediaGallery",
    "Pictures and videos.",
    ComponentType.MEDIA_GALLERY,
    {"items": array_of(object_schema("GalleryItem", "A picture or a video.", _PICTURE))},
)
_FILE = _component(
    "FileComponent",
    "A file of the message.",
    ComponentType.FILE,
    {"file": _MEDIUM, "name": STRING, "size": COUNT, "spoiler": BOOL},
)
_SEPARATOR = _component(
    "Separator",
    "Space between two components.",
    ComponentType.SEPARATOR,
    {"spacing": one_of(1, 2), "divider": BOOL},
)
_BLOCKS = (_ACTION_ROW, _SECTION, _TEXT_DISPLAY, _MEDIA_GALLERY, _FILE, _SEPARATOR)
_CONTAINER = _component(
    "Container",
    "A box around other components.",
    ComponentType.CONTAINER,
    {
        "accent_color": nullable(INT),
        "components": array_of(_any_of(*_BLOCKS)),
        "spoiler": BOOL,
    },
)
COMPONENTS = array_of(_any_of(*_BLOCKS, _CONTAINER))
"""The components of a message."""

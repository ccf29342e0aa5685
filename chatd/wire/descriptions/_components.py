"""Descriptions of components: of their schemas, and of the fields of each."""

from __future__ import annotations

from typing import Final

_ID = "The id of the component, unique in the message; the server assigns one if it is missing."
_CUSTOM_ID = "The bot's own name for the component, unique in the message."
_DISABLED = "Whether users cannot operate it."
_SPOILER = "Whether it is hidden until a user clicks it."
_ALT = "A description for people who cannot see it; null without one."
_SELECT: Final = {
    "custom_id": _CUSTOM_ID,
    "placeholder": "The text that is shown while nothing is chosen.",
    "min_values": "How many values must be chosen at least.",
    "max_values": "How many values can be chosen.",
    "disabled": _DISABLED,
}
_AUTO_SELECT: Final = {**_SELECT, "default_values": "What is chosen at first."}

_FIELDS: Final[dict[str, dict[str, str]]] = {
    "ActionRow": {"components": "The buttons, or the select."},
    "Button": {
        "style": "1 primary, 2 secondary, 3 success, 4 danger, 5 a link.",
        "label": "The text of the button.",
        "emoji": "The emoji before the text.",
        "custom_id": f"{_CUSTOM_ID} A link has none.",
        "url": "The address that a link opens.",
        "disabled": _DISABLED,
    },
    "StringSelect": {**_SELECT, "options": "The options, at most 25."},
    "UserSelect": _AUTO_SELECT,
    "RoleSelect": _AUTO_SELECT,
    "MentionableSelect": _AUTO_SELECT,
    "ChannelSelect": {**_AUTO_SELECT, "channel_types": "The types of channels to choose from."},
    "Section": {
        "components": "One to three texts.",
        "accessory": "A button or a thumbnail next to the texts.",
    },
    "TextDisplay": {"content": "The text; all texts of a message have up to 4,000 characters."},
    "Thumbnail": {"media": "The picture.", "description": _ALT, "spoiler": _SPOILER},
    "MediaGallery": {"items": "One to ten pictures or videos."},
    "Separator": {"spacing": "1 small, 2 large.", "divider": "Whether a line is shown."},
    "Container": {
        "components": "The components inside.",
        "accent_color": "The color of the edge, as an RGB number; null without one.",
        "spoiler": _SPOILER,
    },
}
"""The fields of each component, in requests and in responses, except `type` and `id`."""

_FILE: Final = {"file": "The file.", "spoiler": _SPOILER}
_OPTION: Final = {
    "label": "The text of the option.",
    "value": "What the bot receives.",
    "description": "A text below the option.",
    "emoji": "The emoji before the text.",
    "default": "Whether the option is chosen at first.",
}
_GALLERY_ITEM: Final = {
    "media": "The picture or video.",
    "description": _ALT,
    "spoiler": _SPOILER,
}
_EMOJI: Final = {
    "id": "The id of a custom emoji.",
    "name": "The Unicode emoji, or the name of the custom one.",
    "animated": "Whether the custom emoji is animated.",
}
_URL = "The address; `attachment://name` is a file of the message."


def _component(fields: dict[str, str]) -> dict[str, str]:
    return {"type": "The type of the component.", "id": _ID, **fields}


def _default(what: str) -> dict[str, str]:
    return {"id": f"The id of the {what}.", "type": "What the id is of."}


COMPONENTS: Final[dict[str, dict[str, str]]] = {
    **{name: _component(fields) for name, fields in _FIELDS.items()},
    **{f"{name}Input": _component(fields) for name, fields in _FIELDS.items()},
    "FileInput": _component(_FILE),
    "FileComponent": _component(
        {**_FILE, "name": "The name of the file.", "size": "The size in bytes."}
    ),
    **dict.fromkeys(("SelectOption", "SelectOptionInput"), _OPTION),
    **dict.fromkeys(("GalleryItem", "GalleryItemInput"), _GALLERY_ITEM),
    **dict.fromkeys(("ComponentEmoji", "EmojiInput"), _EMOJI),
    **dict.fromkeys(("UserSelectDefault", "DefaultUserInput"), _default("user")),
    **dict.fromkeys(("RoleSelectDefault", "DefaultRoleInput"), _default("role")),
    **dict.fromkeys(("ChannelSelectDefault", "DefaultChannelInput"), _default("channel")),
    **dict.fromkeys(
        ("MentionableSelectDefault", "DefaultMentionableInput"), _default("user or role")
    ),
    "MediaInput": {"url": _URL},
    "ComponentMedia": {
        "id": "The id of the file, or one that means nothing.",
        "url": "The address; of a file of the message, a signed link.",
        "proxy_url": "The same address.",
        "width": "The width in pixels; null if unknown.",
        "height": "The height in pixels; null if unknown.",
        "content_type": "The media type; null if unknown.",
        "attachment_id": "The id of the file, if it is one of the message.",
    },
}
"""Descriptions of the fields, by the name of the schema."""

SCHEMAS_OF_COMPONENTS: Final[dict[str, str]] = {
    "ActionRowInput": "Up to five buttons next to each other, or one select.",
    "ButtonInput": "A button: a link with `url`, or one that starts an interaction.",
    "StringSelectInput": "A select for options.",
    "UserSelectInput": "A select for users.",
    "RoleSelectInput": "A select for roles.",
    "MentionableSelectInput": "A select for users and roles.",
    "ChannelSelectInput": "A select for channels.",
    "SectionInput": "Texts with a button or a picture next to them.",
    "TextDisplayInput": "A text with markdown. Its mentions notify users as those of `content` do.",
    "ThumbnailInput": "A small picture next to a text.",
    "MediaGalleryInput": "Pictures and videos.",
    "FileInput": "A file of the message.",
    "SeparatorInput": "Space between two components.",
    "ContainerInput": "A box around other components.",
    "SelectOptionInput": "An option of a select.",
    "GalleryItemInput": "A picture or a video.",
    "EmojiInput": "An emoji of a button or an option: a Unicode emoji, or a custom one by its id.",
    "MediaInput": "A picture, a video or a file.",
    "DefaultUserInput": "A user that is chosen at first.",
    "DefaultRoleInput": "A role that is chosen at first.",
    "DefaultMentionableInput": "A user or a role that is chosen at first.",
    "DefaultChannelInput": "A channel that is chosen at first.",
}
"""Descriptions of the schemas of components in requests."""

"""Descriptions of the fields of single schemas, about messages."""

from __future__ import annotations

from typing import Final

from chatd.wire.descriptions._always import ALWAYS_EMPTY

_FLAGS = (
    "Flags of the message: 1 published to followers, 2 a copy of such a message, 4 hides embeds,"
    " 8 the original of a copy was deleted, 64 ephemeral, 128 the response is still loading, 4096"
    " sends no notifications, 32768 consists of components only."
)
_COMPONENTS = (
    "Up to five action rows; with flag 32768 any components, instead of `content` and `embeds`."
    " Only bots can send them."
)

MESSAGES: Final[dict[str, dict[str, str]]] = {
    "Attachment": {
        "id": "The id of the file.",
        "description": "A description for people who cannot see the picture.",
        "url": "The signed link to the file.",
        "proxy_url": "The same link.",
        "width": "The width of a picture, in pixels.",
        "height": "The height of a picture, in pixels.",
        "ephemeral": "Whether the file is deleted after a day.",
    },
    "AttachmentInput": {
        "id": "The number of a new file (0 for `files[0]`), or the id of an existing file.",
        "filename": "The name of the file.",
        "description": "A description for people who cannot see the picture.",
        "uploaded_filename": "The `upload_filename` of a file that was uploaded before.",
    },
    "EmbedMedia": {
        "url": "The address of the picture.",
        "proxy_url": "The link to the file, if the picture is a file of the message.",
        "width": "The width in pixels.",
        "height": "The height in pixels.",
        "description": "A description for people who cannot see the picture.",
    },
    "Media": {
        "url": "The address of the picture; `attachment://name` is a file of the message.",
        "description": "A description for people who cannot see the picture.",
    },
    "EmbedAuthor": {"name": "The name.", "url": "The address that the name links to."},
    "Author": {"name": "The name.", "url": "The address that the name links to."},
    "EmbedField": {"name": "The name of the line.", "value": "The text of the line."},
    "Field": {"name": "The name of the line.", "value": "The text of the line."},
    "RichEmbed": {
        "type": "`rich`, or `auto_moderation_message` in an alert of AutoModeration.",
        "title": "The title.",
        "description": "The text.",
        "url": "The address that the title links to.",
        "timestamp": "A time to show.",
        "color": "The color of the edge, as an RGB number.",
        "author": "The first line.",
        "fields": "Lines with names.",
    },
    "Embed": {
        "title": "The title.",
        "description": "The text.",
        "url": "The address that the title links to.",
        "timestamp": "A time to show.",
        "color": "The color of the edge, as an RGB number.",
        "author": "The first line.",
        "fields": "Lines with names.",
    },
    "Emoji": {
        "id": "Always null, since there are no custom emojis.",
        "name": "The Unicode emoji.",
    },
    "Message": {
        "id": "The id of the message.",
        "channel_id": "The channel.",
        "flags": _FLAGS,
    },
    "ReferencedMessage": {
        "id": "The id of the message.",
        "channel_id": "The channel.",
        "flags": _FLAGS,
    },
    "Hit": {
        "id": "The id of the message.",
        "channel_id": "The channel.",
        "flags": _FLAGS,
    },
    "MessageReference": {
        "type": "Always 0.",
        "message_id": "The message.",
        "channel_id": "The channel of the message.",
        "guild_id": "The guild of the message.",
    },
    "Reference": {
        "message_id": "The message that the new one replies to.",
        "channel_id": "The channel of that message: the same channel.",
        "guild_id": "The guild of that message.",
    },
    "NewMessage": {
        "components": _COMPONENTS,
        "flags": "4 hides embeds, 4096 sends no notifications, 32768 is for components only.",
        "attachments": "The files of the request.",
        "message_reference": "The message that this one replies to.",
    },
    "MessageChange": {
        "components": f"{_COMPONENTS} An empty array removes them.",
        "flags": "4 hides embeds; 32768 is for components only, and cannot be removed.",
        "attachments": "All files of the message, existing and new; other files are deleted.",
    },
    "AllowedMentions": {
        "users": "The ids of users that can be mentioned.",
        "roles": "The ids of roles that can be mentioned.",
    },
    "Pin": {"message": "The message."},
    "SearchResults": {
        "messages": "The messages, each in an array of its own.",
        "members": ALWAYS_EMPTY,
        "threads": ALWAYS_EMPTY,
    },
    "BulkDelete": {"messages": "The ids of 2 to 100 messages, none older than two weeks."},
}

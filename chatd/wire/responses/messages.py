"""Responses about messages."""

from __future__ import annotations

from chatd.core.interactions import InteractionType
from chatd.core.json import JsonObject
from chatd.core.models import (
    MessageType,
)
from chatd.wire.json_schema import (
    BOOL,
    COUNT,
    DATETIME,
    EMPTY,
    ID,
    INT,
    NULL,
    STRING,
    array_of,
    extended_schema,
    nullable,
    object_schema,
    one_of,
)
from chatd.wire.responses.accounts import USER
from chatd.wire.responses.components import COMPONENTS

OWNERS: JsonObject = {
    "type": "object",
    "description": "For which guild (0) or user (1) it was installed; 0 in private channels.",
    "properties": {
        "0": {**ID, "description": "The guild; 0 in private channels."},
        "1": {**ID, "description": "The user."},
    },
}
EMOJI = object_schema(
    "Emoji",
    "An emoji; Unicode emojis have no id.",
    {"id": NULL, "name": STRING, "animated": BOOL},
)
REACTION = object_schema(
    "Reaction",
    "The number of users who reacted to a message with an emoji.",
    {
        "emoji": EMOJI,
        "count": COUNT,
        "count_details": object_schema(
            "ReactionCounts", "By kind.", {"burst": COUNT, "normal": COUNT}
        ),
        "burst_colors": EMPTY,
        "me": BOOL,
        "me_burst": BOOL,
    },
)
REFERENCE = object_schema(
    "MessageReference",
    "The message that a message replies to or is a copy of, or that was pinned, or the channel"
    " that its channel follows.",
    {"type": INT, "channel_id": ID},
    {"guild_id": ID, "message_id": ID},
)
_MEDIA = object_schema(
    "EmbedMedia",
    "An image in an embed. The size is known if the image is a file of the message.",
    {"url": STRING},
    {"proxy_url": STRING, "width": INT, "height": INT, "description": STRING},
)
EMBED = object_schema(
    "RichEmbed",
    "A box below the text of a message.",
    {"type": one_of("rich", "auto_moderation_message")},
    {
        "title": STRING,
        "description": STRING,
        "url": STRING,
        "timestamp": DATETIME,
        "color": INT,
        "footer": object_schema(
            "EmbedFooter",
            "The last line of an embed.",
            {"text": STRING},
            {"icon_url": STRING, "proxy_icon_url": STRING},
        ),
        "image": _MEDIA,
        "thumbnail": _MEDIA,
        "author": object_schema(
            "EmbedAuthor",
            "The first line of an embed.",
            {"name": STRING},
            {"url": STRING, "icon_url": STRING, "proxy_icon_url": STRING},
        ),
        "fields": array_of(
            object_schema(
                "EmbedField",
                "A line with a name in an embed.",
                {"name": STRING, "value": STRING, "inline": BOOL},
            )
        ),
    },
)
ATTACHMENT = object_schema(
    "Attachment",
    "A file of a message. Its links are signed, and work for a day without credentials.",
    {
        "id": ID,
        "filename": STRING,
        "size": COUNT,
        "url": STRING,
        "proxy_url": STRING,
        "content_type": STRING,
    },
    {"width": COUNT, "height": COUNT, "description": STRING, "ephemeral": BOOL},
)
_INTERACTION_FIELDS: JsonObject = {"id": ID, "type": one_of(*InteractionType), "user": USER}
_TRIGGERING = object_schema(
    "TriggeringInteraction",
    "The interaction whose response was the submitted modal.",
    {**_INTERACTION_FIELDS, "authorizing_integration_owners": OWNERS},
    {
        "name": STRING,
        "command_type": INT,
        "interacted_message_id": ID,
        "target_user": USER,
        "target_message_id": ID,
    },
)
INTERACTION_METADATA = object_schema(
    "InteractionMetadata",
    "The interaction that a message responds to.",
    {**_INTERACTION_FIELDS, "authorizing_integration_owners": OWNERS},
    {
        "name": STRING,
        "command_type": INT,
        "original_response_message_id": ID,
        "interacted_message_id": ID,
        "target_user": USER,
        "target_message_id": ID,
        "triggering_interaction_metadata": _TRIGGERING,
    },
)
REFERENCED_MESSAGE = object_schema(
    "ReferencedMessage",
    "A message inside a message that replies to it.",
    {
        "id": ID,
        "channel_id": ID,
        "author": USER,
        "content": STRING,
        "timestamp": DATETIME,
        "edited_timestamp": nullable(DATETIME),
        "tts": BOOL,
        "mention_everyone": BOOL,
        "mentions": array_of(USER),
        "mention_roles": array_of(ID),
        "attachments": array_of(ATTACHMENT),
        "embeds": array_of(EMBED),
        "pinned": BOOL,
        "type": one_of(*MessageType),
        "flags": INT,
        "components": COMPONENTS,
    },
    {
        "reactions": array_of(REACTION),
        "message_reference": REFERENCE,
        "webhook_id": ID,
        "application_id": ID,
        "interaction_metadata": INTERACTION_METADATA,
        "interaction": object_schema(
            "MessageInteraction",
            "The command that a message responds to. Deprecated: use `interaction_metadata`.",
            {**_INTERACTION_FIELDS, "name": STRING},
        ),
        "nonce": {"type": ["string", "integer"]},
    },
)
MESSAGE = extended_schema(
    REFERENCED_MESSAGE,
    "Message",
    "A message; `referenced_message` is null if the message that it replies to is deleted.",
    {},
    {"referenced_message": nullable(REFERENCED_MESSAGE)},
)
SEARCH_RESULTS = object_schema(
    "SearchResults",
    "A page of search results.",
    {
        "messages": array_of(
            array_of(
                extended_schema(
                    MESSAGE, "Hit", "A message that the search found.", {"hit": one_of(True)}
                )
            )
        ),
        "total_results": {**COUNT, "description": "Counted up to 10,000."},
        "doing_deep_historical_index": {
            **BOOL,
            "description": "Whether the search ran out of time, so that results may be missing.",
        },
        "threads": EMPTY,
        "members": EMPTY,
    },
)
PINS = object_schema(
    "PinPage",
    "Pinned messages, newest pin first.",
    {
        "items": array_of(
            object_schema("Pin", "A pin.", {"pinned_at": DATETIME, "message": MESSAGE})
        ),
        "has_more": BOOL,
    },
)

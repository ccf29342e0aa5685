"""Responses about interactions."""

from __future__ import annotations

from chatd.core.interactions import CallbackType, InteractionType
from chatd.wire.json_schema import BOOL, ID, object_schema, one_of
from chatd.wire.responses.messages import MESSAGE

CALLBACK = object_schema(
    "InteractionCallback",
    "An interaction, and what the response has created.",
    {
        "interaction": object_schema(
            "RespondedInteraction",
            "The interaction.",
            {"id": ID, "type": one_of(*InteractionType), "channel_id": ID},
            {
                "guild_id": ID,
                "response_message_id": ID,
                "response_message_loading": BOOL,
                "response_message_ephemeral": BOOL,
            },
        )
    },
    {
        "resource": object_schema(
            "InteractionCallbackResource",
            "The message that was created or changed.",
            {"type": one_of(CallbackType.MESSAGE, CallbackType.UPDATE), "message": MESSAGE},
        )
    },
)

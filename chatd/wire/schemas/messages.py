"""Of messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from chatd.core.ids import ChannelId, GuildId, MessageId
from chatd.wire.fields import (
    ERRORS,
    UNSET,
    Bool,
    Int,
    Maybe,
    Nested,
    Nonce,
    Problem,
    Schema,
    Snowflake,
    Text,
    within,
)


@dataclass(frozen=True, slots=True)
class Reference:
    message_id: MessageId
    channel_id: ChannelId | None = None
    guild_id: GuildId | None = None
    fail_if_not_exists: bool = True


@dataclass(frozen=True, slots=True)
class NewMessage:
    content: str = ""
    tts: bool = False
    flags: int = 0
    nonce: str | int | None = None
    message_reference: Reference | None = None


@dataclass(frozen=True, slots=True)
class MessageChange:
    content: Maybe[str | None] = UNSET
    flags: Maybe[int | None] = UNSET


MESSAGE_MAX_LENGTH = 2000  # characters


_CONTENT = validate.Length(
    max=MESSAGE_MAX_LENGTH,
    error=Problem("BASE_TYPE_MAX_LENGTH", f"Must be {MESSAGE_MAX_LENGTH} or fewer in length."),
)


class ReferenceSchema(Schema[Reference]):
    into = Reference
    message_id = Snowflake(required=True)
    channel_id = Snowflake(allow_none=True)
    guild_id = Snowflake(allow_none=True)
    fail_if_not_exists = Bool()


class NewMessageSchema(Schema[NewMessage]):
    into = NewMessage
    content = Text(allow_none=True, trimmed=True, validate=_CONTENT)
    tts = Bool()
    flags = Int(validate=within(0, 2**31 - 1))
    nonce = Nonce(allow_none=True)
    message_reference = Nested(ReferenceSchema, allow_none=True)

    @ma.post_load
    def _into(self, data: dict[str, Any], **_: Any) -> NewMessage:
        return NewMessage(**{**data, "content": data.get("content") or ""})


class MessageChangeSchema(Schema[MessageChange]):
    into = MessageChange
    content = Text(allow_none=True, trimmed=True, validate=_CONTENT)
    flags = Int(allow_none=True, validate=within(0, 2**31 - 1))


@dataclass(frozen=True, slots=True)
class BulkDelete:
    messages: Sequence[MessageId]


class BulkDeleteSchema(Schema[BulkDelete]):
    into = BulkDelete
    messages = fields.List(Snowflake(), required=True, error_messages=ERRORS)

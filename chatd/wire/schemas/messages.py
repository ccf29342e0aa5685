"""Of messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import marshmallow as ma
from marshmallow import ValidationError, fields, validate

from chatd.core.ids import ChannelId, GuildId, MessageId
from chatd.core.mentions import MAX_MENTIONS, AllowedMentions
from chatd.core.models import Embed
from chatd.wire.fields import (
    ERRORS,
    NULL_IS_ABSENT,
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
    length,
    within,
)
from chatd.wire.schemas.embeds import MAX_EMBEDS, EmbedSchema, within_limits


@dataclass(frozen=True, slots=True)
class Reference:
    message_id: MessageId
    channel_id: ChannelId | None = None
    guild_id: GuildId | None = None
    fail_if_not_exists: bool = True


@dataclass(frozen=True, slots=True)
class WantedAttachment:
    """A file of the same request by its number, or one that the message has by its id."""

    id: int
    filename: str | None = None
    description: Maybe[str | None] = UNSET


@dataclass(frozen=True, slots=True)
class NewMessage:
    content: str = ""
    tts: bool = False
    flags: int = 0
    nonce: str | int | None = None
    enforce_nonce: bool = False
    message_reference: Reference | None = None
    embeds: Sequence[Embed] = ()
    allowed_mentions: AllowedMentions | None = None
    attachments: Sequence[WantedAttachment] = ()

    @property
    def enforced_nonce(self) -> str | None:
        """The nonce, if it is to keep a second message out."""
        return str(self.nonce) if self.enforce_nonce and self.nonce not in (None, "") else None


@dataclass(frozen=True, slots=True)
class MessageChange:
    content: Maybe[str | None] = UNSET
    flags: Maybe[int | None] = UNSET
    embeds: Maybe[Sequence[Embed] | None] = UNSET
    allowed_mentions: AllowedMentions | None = None
    attachments: Maybe[Sequence[WantedAttachment] | None] = UNSET

    @property
    def says_something_else(self) -> bool:
        """Whether it changes what only the author can say."""
        said = (self.content, self.embeds, self.attachments)
        return any(each is not UNSET for each in said)


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


class AllowedMentionsSchema(Schema[AllowedMentions]):
    into = AllowedMentions
    parse = fields.List(
        Text(
            validate=validate.OneOf(
                ["users", "roles", "everyone"],
                error=Problem("BASE_TYPE_CHOICES", "Must be one of {choices}."),
            )
        ),
        allow_none=True,
        validate=length(0, 3),
    )
    users = fields.List(Snowflake(), allow_none=True, validate=length(0, MAX_MENTIONS))
    roles = fields.List(Snowflake(), allow_none=True, validate=length(0, MAX_MENTIONS))
    replied_user = Bool(allow_none=True)

    @ma.post_load
    def _into(self, data: dict[str, Any], **_: Any) -> AllowedMentions:
        for kind in ("users", "roles"):
            if data.get(kind) and kind in (data.get("parse") or ()):
                text = f"parse and {kind} cannot name the same kind"
                problem = Problem("MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", text)
                raise ValidationError({"parse": [problem]})
        return AllowedMentions(**{key: value for key, value in data.items() if value is not None})


class WantedAttachmentSchema(Schema[WantedAttachment]):
    into = WantedAttachment
    id = Snowflake(required=True)
    filename = Text(allow_none=True, validate=length(1, 1024))
    description = Text(allow_none=True, validate=length(0, 1024))


_ATTACHMENTS = length(0, 10)
_EMBEDS: list[Callable[[Any], Any]] = [length(0, MAX_EMBEDS), within_limits]


class NewMessageSchema(Schema[NewMessage]):
    into = NewMessage
    content = Text(allow_none=True, trimmed=True, validate=_CONTENT)
    tts = Bool(**NULL_IS_ABSENT)
    flags = Int(validate=within(0, 2**31 - 1), **NULL_IS_ABSENT)
    nonce = Nonce(allow_none=True)
    enforce_nonce = Bool(**NULL_IS_ABSENT)
    message_reference = Nested(ReferenceSchema, allow_none=True)
    embeds = fields.List(Nested(EmbedSchema), allow_none=True, validate=_EMBEDS)
    allowed_mentions = Nested(AllowedMentionsSchema, allow_none=True)
    attachments = fields.List(
        Nested(WantedAttachmentSchema), allow_none=True, validate=_ATTACHMENTS
    )

    @ma.post_load
    def _into(self, data: dict[str, Any], **_: Any) -> NewMessage:
        return NewMessage(**{key: value for key, value in data.items() if value is not None})


class MessageChangeSchema(Schema[MessageChange]):
    into = MessageChange
    content = Text(allow_none=True, trimmed=True, validate=_CONTENT)
    flags = Int(allow_none=True, validate=within(0, 2**31 - 1))
    embeds = fields.List(Nested(EmbedSchema), allow_none=True, validate=_EMBEDS)
    allowed_mentions = Nested(AllowedMentionsSchema, allow_none=True)
    attachments = fields.List(
        Nested(WantedAttachmentSchema), allow_none=True, validate=_ATTACHMENTS
    )


@dataclass(frozen=True, slots=True)
class BulkDelete:
    messages: Sequence[MessageId]


class BulkDeleteSchema(Schema[BulkDelete]):
    into = BulkDelete
    messages = fields.List(
        Snowflake(),
        required=True,
        error_messages=ERRORS,
        metadata={"minItems": 2, "maxItems": 100},  # refused by the service, with its own code
    )

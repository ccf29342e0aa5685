"""Schemas of messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

import marshmallow as ma
from marshmallow import ValidationError, validate

from chatd.core.components import IS_COMPONENTS_V2
from chatd.core.field_errors import NOT_SUPPORTED
from chatd.core.ids import ChannelId, GuildId, MessageId
from chatd.core.interactions import EPHEMERAL
from chatd.core.mentions import MAX_MENTIONS, AllowedMentions
from chatd.core.models import Component, Embed
from chatd.core.records import record
from chatd.core.unset import UNSET, Maybe
from chatd.wire.base_schema import NULL_IS_ABSENT, Schema
from chatd.wire.fields import (
    NONCE_MAX_LENGTH,
    Bool,
    BoolOrWord,
    Int,
    List,
    Nested,
    Nonce,
    Snowflake,
)
from chatd.wire.payloads import SUPPRESS_EMBEDS
from chatd.wire.schemas.components import layout_errors, message_components
from chatd.wire.schemas.embeds import MAX_EMBEDS, EmbedSchema, within_limits
from chatd.wire.text_fields import Text
from chatd.wire.unsupported import Unsupported
from chatd.wire.validators import FieldError, at_most, length, within


@dataclass(frozen=True, slots=True)
class Reference:
    message_id: MessageId
    channel_id: ChannelId | None = None
    guild_id: GuildId | None = None
    fail_if_not_exists: bool = True


@dataclass(frozen=True, slots=True)
class AttachmentInput:
    """A new file by its number in the request, or an existing file by its id."""

    id: int
    filename: str | None = None
    description: Maybe[str | None] = UNSET
    uploaded_filename: str | None = None
    """The name of a file that was uploaded before the message."""


@record(frozen=True, slots=True)
class NewMessage:
    content: str = ""
    tts: bool = False
    flags: int = 0
    nonce: str | int | None = None
    enforce_nonce: bool = False
    message_reference: Reference | None = None
    embeds: Sequence[Embed] = ()
    allowed_mentions: AllowedMentions | None = None
    attachments: Sequence[AttachmentInput] = ()
    components: Sequence[Component] = ()

    @property
    def enforced_nonce(self) -> str | None:
        """The nonce, if it must be unique; None otherwise."""
        return str(self.nonce) if self.enforce_nonce and self.nonce not in (None, "") else None


@dataclass(frozen=True, slots=True)
class MessageChange:
    content: Maybe[str | None] = UNSET
    flags: Maybe[int | None] = UNSET
    embeds: Maybe[Sequence[Embed] | None] = UNSET
    allowed_mentions: AllowedMentions | None = None
    attachments: Maybe[Sequence[AttachmentInput] | None] = UNSET
    components: Maybe[Sequence[Component] | None] = UNSET

    @property
    def changes_content(self) -> bool:
        """Whether it changes something that only the author can change."""
        fields = (self.content, self.embeds, self.attachments, self.components)
        return any(each is not UNSET for each in fields)


MESSAGE_MAX_LENGTH = 2000  # characters


_CONTENT = at_most(MESSAGE_MAX_LENGTH)


class ReferenceSchema(Schema[Reference]):
    into = Reference
    message_id = Snowflake(required=True)
    channel_id = Snowflake(allow_none=True)
    guild_id = Snowflake(allow_none=True)
    fail_if_not_exists = Bool(**NULL_IS_ABSENT)
    type = Unsupported("forwarding messages", 0)


class AllowedMentionsSchema(Schema[AllowedMentions]):
    into = AllowedMentions
    parse = List(
        Text(
            validate=validate.OneOf(
                ["users", "roles", "everyone"],
                error=FieldError("BASE_TYPE_CHOICES", "Must be one of {choices}."),
            )
        ),
        allow_none=True,
        validate=length(0, 3),
    )
    users = List(Snowflake(), allow_none=True, validate=length(0, MAX_MENTIONS))
    roles = List(Snowflake(), allow_none=True, validate=length(0, MAX_MENTIONS))
    replied_user = Bool(allow_none=True)

    @ma.post_load
    def _into(self, data: dict[str, Any], **_: Any) -> AllowedMentions:
        for kind in ("users", "roles"):
            if data.get(kind) and kind in (data.get("parse") or ()):
                text = f"parse and {kind} cannot name the same kind"
                problem = FieldError("MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", text)
                raise ValidationError({"parse": [problem]})
        return AllowedMentions(**{key: value for key, value in data.items() if value is not None})


class AttachmentInputSchema(Schema[AttachmentInput]):
    into = AttachmentInput
    id = Snowflake(required=True)
    filename = Text(allow_none=True, validate=length(1, 1024))
    description = Text(allow_none=True, validate=length(0, 1024))
    uploaded_filename = Text(allow_none=True, validate=length(1, 512))
    title = Unsupported("titles of files")
    is_spoiler = Unsupported("marking files; a name that begins with SPOILER_ does it")
    is_remix = Unsupported("remixed files")
    duration_secs = Unsupported("voice messages")
    waveform = Unsupported("voice messages")


_ATTACHMENTS = length(0, 10)
_EMBEDS: list[Callable[[Any], Any]] = [length(0, MAX_EMBEDS), within_limits]


_FLAGS: Final = {
    "SUPPRESS_EMBEDS": SUPPRESS_EMBEDS,
    "EPHEMERAL": EPHEMERAL,
    "SUPPRESS_NOTIFICATIONS": 1 << 12,
    "IS_COMPONENTS_V2": IS_COMPONENTS_V2,
}
"""The flags that a request can set, by Discord's names."""

SETTABLE_FLAGS: Final = SUPPRESS_EMBEDS | _FLAGS["SUPPRESS_NOTIFICATIONS"] | IS_COMPONENTS_V2
"""The flags that the author of a message can set."""


def only_flags(settable: int) -> Callable[[int], None]:
    """Return a validator that accepts only these flags."""
    listed = [f"{name} ({bit})" for name, bit in _FLAGS.items() if bit & settable]
    text = f"Only these flags can be set here: {', '.join(listed)}."

    def check(bits: int) -> None:
        if bits & ~settable:
            raise ValidationError(FieldError(NOT_SUPPORTED, text))

    return check


class NewMessageSchema(Schema[NewMessage]):
    into = NewMessage
    content = Text(allow_none=True, trimmed=True, validate=_CONTENT)
    tts = BoolOrWord(**NULL_IS_ABSENT)  # endcord sends "false"
    flags = Int(validate=[within(0, 2**31 - 1), only_flags(SETTABLE_FLAGS)], **NULL_IS_ABSENT)
    nonce = Nonce(allow_none=True)
    enforce_nonce = Bool(**NULL_IS_ABSENT)
    message_reference = Nested(ReferenceSchema, allow_none=True)
    embeds = List(Nested(EmbedSchema), allow_none=True, validate=_EMBEDS)
    allowed_mentions = Nested(AllowedMentionsSchema, allow_none=True)
    attachments = List(Nested(AttachmentInputSchema), allow_none=True, validate=_ATTACHMENTS)

    components = message_components()

    poll = Unsupported("polls")
    sticker_ids = Unsupported("stickers")
    shared_client_theme = Unsupported("sharing themes")

    @ma.post_load
    def _into(self, data: dict[str, Any], **_: Any) -> NewMessage:
        message = self.into(**{key: value for key, value in data.items() if value is not None})
        if message.components or message.flags & IS_COMPONENTS_V2:
            _require_layout(message)
        return message


_PLAIN_FIELDS = frozenset({"content", "nonce", "tts", "flags"})


def read_plain(data: Any) -> NewMessage | None:
    """Return a message that is only a text, with what libraries send beside it; None for others.

    Most messages are of this kind. The result is that of `NewMessageSchema`, whose machinery costs
    ten times as much. What the schema would refuse or convert is left to it, by returning None.
    """
    if type(data) is not dict or not data.keys() <= _PLAIN_FIELDS:
        return None
    content, nonce = data.get("content"), data.get("nonce", "")
    if (
        data.get("tts", False) is False
        and _is_text(content, MESSAGE_MAX_LENGTH)
        and _is_text(nonce, NONCE_MAX_LENGTH)
        and _is_zero(data.get("flags", 0))
    ):
        return NewMessage(content.strip(), nonce=nonce if "nonce" in data else None)
    return None


def _is_text(value: Any, max_length: int) -> TypeGuard[str]:
    return type(value) is str and len(value) <= max_length and "\0" not in value


def _is_zero(value: Any) -> bool:
    return type(value) is int and value == 0


def _require_layout(message: NewMessage) -> None:
    """Raise ValidationError if the message cannot have such components, or content beside them."""
    errors = layout_errors(
        message.flags, message.components, content=message.content, embeds=message.embeds
    )
    if errors:
        raise ValidationError(errors)


class MessageChangeSchema(Schema[MessageChange]):
    into = MessageChange
    content = Text(allow_none=True, trimmed=True, validate=_CONTENT)
    flags = Int(allow_none=True, validate=within(0, 2**31 - 1))
    embeds = List(Nested(EmbedSchema), allow_none=True, validate=_EMBEDS)
    allowed_mentions = Nested(AllowedMentionsSchema, allow_none=True)
    attachments = List(Nested(AttachmentInputSchema), allow_none=True, validate=_ATTACHMENTS)
    components = message_components()
    sticker_ids = Unsupported("stickers")


@dataclass(frozen=True, slots=True)
class BulkDelete:
    messages: Sequence[MessageId]


class BulkDeleteSchema(Schema[BulkDelete]):
    into = BulkDelete
    messages = List(
        Snowflake(),
        required=True,
        validate=at_most(200),
        metadata={
            "minItems": 2,
            "maxItems": 100,
        },  # checked by the service, which has an error code for it
    )

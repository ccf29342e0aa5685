"""Schemas of private channels and read states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import marshmallow as ma
from marshmallow import ValidationError

from chatd.core.ids import ChannelId, MessageId, UserId
from chatd.wire.base_schema import NULL_IS_ABSENT, Schema
from chatd.wire.fields import Bool, Int, List, Nested, Snowflake
from chatd.wire.unsupported import Unsupported
from chatd.wire.validators import FieldError, choice, length

MAX_READ_STATES = 500
"""Read states of one request: one for each channel of a guild."""


@dataclass(frozen=True, slots=True)
class NewPrivateChannel:
    """A direct message with `recipient_id`, or a group with `recipients`."""

    recipient_id: UserId | None = None
    recipients: Sequence[UserId] | None = None


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """`manual` also allows moving the read position back."""

    manual: bool = False


class NewPrivateChannelSchema(Schema[NewPrivateChannel]):
    into = NewPrivateChannel
    recipient_id = Snowflake(allow_none=True)
    recipients = List(Snowflake(), allow_none=True, validate=length(1, 100))
    access_tokens = Unsupported("OAuth2 access tokens")
    nicks = Unsupported("nicknames in groups")

    @ma.validates_schema
    def _require_recipient(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("recipient_id") is None and data.get("recipients") is None:
            problem = FieldError("BASE_TYPE_REQUIRED", "This field is required")
            raise ValidationError({"recipient_id": [problem]})


@dataclass(frozen=True, slots=True)
class ReadStateChange:
    """`message_id` null or 0 means nothing to mark as read."""

    channel_id: ChannelId
    message_id: MessageId | None = None
    read_state_type: int = 0


@dataclass(frozen=True, slots=True)
class BulkAcknowledgement:
    read_states: Sequence[ReadStateChange]


class ReadStateChangeSchema(Schema[ReadStateChange]):
    into = ReadStateChange
    channel_id = Snowflake(required=True)
    message_id = Snowflake(allow_none=True)
    read_state_type = Int(validate=choice(0), **NULL_IS_ABSENT)


class BulkAcknowledgementSchema(Schema[BulkAcknowledgement]):
    into = BulkAcknowledgement
    read_states = List(
        Nested(ReadStateChangeSchema), required=True, validate=length(0, MAX_READ_STATES)
    )


class AcknowledgementSchema(Schema[Acknowledgement]):
    into = Acknowledgement
    manual = Bool()

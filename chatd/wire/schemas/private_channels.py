"""Of private channels and of what has been read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import marshmallow as ma
from marshmallow import ValidationError, fields

from chatd.core.ids import UserId
from chatd.wire.fields import Bool, Problem, Schema, Snowflake, length


@dataclass(frozen=True, slots=True)
class NewPrivateChannel:
    """With one, or with several for a group."""

    recipient_id: UserId | None = None
    recipients: Sequence[UserId] | None = None


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """`manual` moves the mark back, too."""

    manual: bool = False


class NewPrivateChannelSchema(Schema[NewPrivateChannel]):
    into = NewPrivateChannel
    recipient_id = Snowflake(allow_none=True)
    recipients = fields.List(Snowflake(), allow_none=True, validate=length(1, 100))

    @ma.validates_schema
    def _names_somebody(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("recipient_id") is None and data.get("recipients") is None:
            problem = Problem("BASE_TYPE_REQUIRED", "This field is required")
            raise ValidationError({"recipient_id": [problem]})


class AcknowledgementSchema(Schema[Acknowledgement]):
    into = Acknowledgement
    manual = Bool()

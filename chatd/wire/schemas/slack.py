"""Schemas of the bodies that Slack's incoming webhooks accept.

Rule: Discord docs, Webhook resource, "Execute Slack-Compatible Webhook"; Slack's reference,
"Legacy: Secondary message attachments".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import marshmallow as ma

from chatd.wire.base_schema import NULL_IS_ABSENT, MappingSchema, Schema
from chatd.wire.fields import Bool, List, Nested, Value, whole
from chatd.wire.schemas.embeds import MAX_EMBEDS, URL
from chatd.wire.schemas.excerpts import Excerpt, FirstOf
from chatd.wire.schemas.messages import MESSAGE_MAX_LENGTH
from chatd.wire.text_fields import Text, WebhookName
from chatd.wire.validators import length

_MAX_FIELDS = 25
_MAX_TIME = 253402300799  # the end of the year 9999, in seconds since 1970


@dataclass(frozen=True, slots=True)
class SlackMessage:
    """A message as Slack's webhooks accept it."""

    text: str = ""
    username: str | None = None
    icon_url: str | None = None
    attachments: Sequence[Mapping[str, Any]] = ()


class UnixTime(Value[int]):
    """A time in seconds since 1970, as a number or as text with a fraction."""

    json = {"type": ["integer", "number", "string"]}  # noqa: RUF012

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, str) and len(value) <= 32:
            digits = value.partition(".")[0]
            value = int(digits) if digits.isascii() and digits.isdigit() else None
        seconds = int(value) if isinstance(value, float) and abs(value) < 2**53 else whole(value)
        if seconds is None or not 0 <= seconds <= _MAX_TIME:
            raise self.make_error("invalid")
        return seconds


def _link() -> Text:
    return Text(allow_none=True, validate=URL, metadata={"format": "uri"})


class SlackFieldSchema(MappingSchema):
    title = Excerpt(256, allow_none=True)
    name = Excerpt(256, allow_none=True)
    value = Excerpt(1024, allow_none=True)
    short = Bool(**NULL_IS_ABSENT)
    inline = Bool(**NULL_IS_ABSENT)


class SlackAttachmentSchema(MappingSchema):
    fallback = Excerpt(4096, allow_none=True)
    color = Excerpt(16, allow_none=True)
    pretext = Excerpt(MESSAGE_MAX_LENGTH, allow_none=True)
    author_name = Excerpt(256, allow_none=True)
    author_link = _link()
    author_icon = _link()
    title = Excerpt(256, allow_none=True)
    title_link = _link()
    text = Excerpt(4096, allow_none=True)
    parts = FirstOf(Nested(SlackFieldSchema), _MAX_FIELDS, data_key="fields", allow_none=True)
    image_url = _link()
    thumb_url = _link()
    footer = Excerpt(2048, allow_none=True)
    footer_icon = _link()
    ts = UnixTime(allow_none=True)


class SlackMessageSchema(Schema[SlackMessage]):
    into = SlackMessage
    text = Excerpt(MESSAGE_MAX_LENGTH, allow_none=True)
    username = WebhookName(allow_none=True)
    icon_url = _link()
    attachments = List(
        Nested(SlackAttachmentSchema), allow_none=True, validate=length(0, MAX_EMBEDS)
    )

    @ma.post_load
    def _into(self, data: dict[str, Any], **_: Any) -> SlackMessage:
        return SlackMessage(**{key: each for key, each in data.items() if each})

"""Schemas of the bodies that Slack's incoming webhooks accept.

Rule: Discord docs, Webhook resource, "Execute Slack-Compatible Webhook"; Slack's reference,
"Legacy: Secondary message attachments".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import marshmallow as ma

from chatd.core.json import JsonObject
from chatd.wire.base_schema import NULL_IS_ABSENT, MappingSchema, Schema
from chatd.wire.fields import Bool, List, Nested, Value
from chatd.wire.schemas.embeds import MAX_EMBEDS, URL
from chatd.wire.schemas.excerpts import Excerpt, FirstOf
from chatd.wire.schemas.messages import MESSAGE_MAX_LENGTH
from chatd.wire.text_fields import Text, WebhookName
from chatd.wire.validators import length

_MAX_FIELDS = 25
_MAX_TIME = 253402300799  # the end of the year 9999, in seconds since 1970
_SECONDS = re.compile(r"[0-9]{1,12}(\.[0-9]{0,19})?")


@dataclass(frozen=True, slots=True)
class SlackMessage:
    """A message as Slack's webhooks accept it."""

    text: str = ""
    username: str | None = None
    icon_url: str | None = None
    attachments: Sequence[Mapping[str, Any]] = ()


class UnixTime(Value[int]):
    """A time in seconds since 1970, as a number or as text with a fraction."""

    json: ClassVar[JsonObject] = {
        "type": ["integer", "number", "string"],
        "pattern": r"^[0-9]{1,11}(\.[0-9]{0,19})?$",  # not all numbers of 12 digits are accepted
        "minimum": 0,
        "maximum": _MAX_TIME,
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, str) and _SECONDS.fullmatch(value):
            value = int(value.partition(".")[0])
        if type(value) not in (int, float) or not 0 <= value <= _MAX_TIME:
            raise self.make_error("invalid")
        return int(value)


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

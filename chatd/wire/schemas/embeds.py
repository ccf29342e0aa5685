"""Schemas of embeds. Rule: Discord docs, Message resource, "Embed Object" and "Embed Limits"."""

from __future__ import annotations

from typing import Any, Final

import marshmallow as ma
from marshmallow import ValidationError

from chatd.core.models import Embed
from chatd.wire.base_schema import NULL_IS_ABSENT, MappingSchema
from chatd.wire.fields import Bool, Int, List, Nested, Timestamp
from chatd.wire.payloads import timestamp
from chatd.wire.text_fields import Text
from chatd.wire.unsupported import Derived
from chatd.wire.validators import FieldError, at_most, length, url, within

MAX_EMBEDS = 10
MAX_CHARACTERS = 6000
"""Maximum characters of all texts in all embeds of a message together."""

LIMITS: Final = {"title": 256, "description": 4096}
"""Maximum characters of the texts of an embed itself."""


URL = url("https?")
_MEDIA_URL = url("https?|attachment")


class _FooterSchema(MappingSchema):
    text = Text(required=True, validate=at_most(2048))
    icon_url = Text(allow_none=True, validate=_MEDIA_URL, metadata={"format": "uri"})


class _MediaSchema(MappingSchema):
    url = Text(required=True, validate=_MEDIA_URL, metadata={"format": "uri"})
    description = Text(allow_none=True, validate=at_most(4096))
    width = Derived()
    height = Derived()
    placeholder = Derived()
    placeholder_version = Derived()
    is_animated = Derived()


class _AuthorSchema(MappingSchema):
    name = Text(required=True, validate=at_most(256))
    url = Text(allow_none=True, validate=URL, metadata={"format": "uri"})
    icon_url = Text(allow_none=True, validate=_MEDIA_URL, metadata={"format": "uri"})


class _FieldSchema(MappingSchema):
    name = Text(required=True, trimmed=True, validate=length(1, 256))
    value = Text(required=True, trimmed=True, validate=length(1, 1024))
    inline = Bool(load_default=False, **NULL_IS_ABSENT)


VISIBLE = frozenset({"title", "description", "author", "fields", "footer", "image", "thumbnail"})
"""The keys of an embed that show something: it needs at least one of them."""


class EmbedSchema(MappingSchema):
    title = Text(allow_none=True, trimmed=True, validate=at_most(LIMITS["title"]))
    description = Text(allow_none=True, trimmed=True, validate=at_most(LIMITS["description"]))
    url = Text(allow_none=True, validate=URL, metadata={"format": "uri"})
    timestamp = Timestamp(allow_none=True)
    color = Int(allow_none=True, validate=within(0, 0xFFFFFF))
    footer = Nested(_FooterSchema, allow_none=True)
    image = Nested(_MediaSchema, allow_none=True)
    thumbnail = Nested(_MediaSchema, allow_none=True)
    author = Nested(_AuthorSchema, allow_none=True)
    entries = List(Nested(_FieldSchema), data_key="fields", allow_none=True, validate=length(0, 25))

    type = Derived()
    provider = Derived()
    video = Derived()

    @ma.post_load
    def _into(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        data["fields"] = data.pop("entries", None)
        embed = {key: value for key, value in data.items() if value not in (None, "", [])}
        if not embed.keys() & VISIBLE:
            raise ValidationError(
                {"description": [FieldError("BASE_TYPE_REQUIRED", "This field is required")]}
            )
        if "timestamp" in embed:
            embed["timestamp"] = timestamp(embed["timestamp"])
        return {"type": "rich", **embed}


def within_limits(embeds: list[Embed]) -> None:
    """Raise ValidationError if the texts of all embeds together are too long."""
    if sum(characters(embed) for embed in embeds) > MAX_CHARACTERS:
        text = f"Embed size exceeds maximum size of {MAX_CHARACTERS}"
        raise ValidationError(FieldError("MAX_EMBED_SIZE_EXCEEDED", text))


def characters(embed: Embed) -> int:
    """Return how many characters all texts of an embed have."""
    texts = [embed.get("title", ""), embed.get("description", "")]
    texts += [embed.get("footer", {}).get("text", ""), embed.get("author", {}).get("name", "")]
    texts += [field[key] for field in embed.get("fields", ()) for key in ("name", "value")]
    return sum(map(len, texts))

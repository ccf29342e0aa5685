"""Of embeds. Rule: Discord docs, Message resource, "Embed Object" and "Embed Limits"."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import ValidationError, fields, validate

from chatd.core.models import Embed
from chatd.wire.fields import Bool, Int, Moment, Nested, Part, Problem, Text, length, within
from chatd.wire.payloads import timestamp

MAX_EMBEDS = 10
MAX_CHARACTERS = 6000
"""Of all texts of all embeds of a message together."""


def _at_most(characters: int) -> validate.Length:
    text = f"Must be {characters} or fewer in length."
    return validate.Length(max=characters, error=Problem("BASE_TYPE_MAX_LENGTH", text))


_URL = [
    _at_most(2048),
    validate.Regexp(
        r"(?i)(https?|attachment)://[^\s/]",
        error=Problem("URL_TYPE_INVALID_URL", "Not a well formed URL."),
    ),
]


class _FooterSchema(Part):
    text = Text(required=True, validate=_at_most(2048))
    icon_url = Text(allow_none=True, validate=_URL, metadata={"format": "uri"})


class _MediaSchema(Part):
    url = Text(required=True, validate=_URL, metadata={"format": "uri"})


class _AuthorSchema(Part):
    name = Text(required=True, validate=_at_most(256))
    url = Text(allow_none=True, validate=_URL, metadata={"format": "uri"})
    icon_url = Text(allow_none=True, validate=_URL, metadata={"format": "uri"})


class _FieldSchema(Part):
    name = Text(required=True, trimmed=True, validate=length(1, 256))
    value = Text(required=True, trimmed=True, validate=length(1, 1024))
    inline = Bool(load_default=False)


_VISIBLE = frozenset({"title", "description", "author", "fields", "footer", "image", "thumbnail"})


class EmbedSchema(Part):
    title = Text(allow_none=True, trimmed=True, validate=_at_most(256))
    description = Text(allow_none=True, trimmed=True, validate=_at_most(4096))
    url = Text(allow_none=True, validate=_URL, metadata={"format": "uri"})
    timestamp = Moment(allow_none=True)
    color = Int(allow_none=True, validate=within(0, 0xFFFFFF))
    footer = Nested(_FooterSchema, allow_none=True)
    image = Nested(_MediaSchema, allow_none=True)
    thumbnail = Nested(_MediaSchema, allow_none=True)
    author = Nested(_AuthorSchema, allow_none=True)
    entries = fields.List(
        Nested(_FieldSchema), data_key="fields", allow_none=True, validate=length(0, 25)
    )

    @ma.post_load
    def _into(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        data["fields"] = data.pop("entries", None)
        embed = {key: value for key, value in data.items() if value not in (None, "", [])}
        if not embed.keys() & _VISIBLE:
            raise ValidationError(
                {"description": [Problem("BASE_TYPE_REQUIRED", "This field is required")]}
            )
        if "timestamp" in embed:
            embed["timestamp"] = timestamp(embed["timestamp"])
        return {"type": "rich", **embed}


def within_limits(embeds: list[Embed]) -> None:
    """Raises ValidationError when the texts of all embeds together are too long."""
    if sum(_characters(embed) for embed in embeds) > MAX_CHARACTERS:
        text = f"Embed size exceeds maximum size of {MAX_CHARACTERS}"
        raise ValidationError(Problem("MAX_EMBED_SIZE_EXCEEDED", text))


def _characters(embed: Embed) -> int:
    texts = [embed.get("title", ""), embed.get("description", "")]
    texts += [embed.get("footer", {}).get("text", ""), embed.get("author", {}).get("name", "")]
    texts += [field[key] for field in embed.get("fields", ()) for key in ("name", "value")]
    return sum(map(len, texts))

"""Parts of components: emojis, options, default values and media."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import ValidationError, validate

from chatd.core.emojis import is_emoji
from chatd.wire.base_schema import NULL_IS_ABSENT, MappingSchema
from chatd.wire.fields import Bool, Nested, Snowflake
from chatd.wire.text_fields import Text
from chatd.wire.validators import URL_REST, FieldError, at_most, length

_UNKNOWN_NAME = "_"
"""The name of a custom emoji if only its id was sent, as some libraries do."""

_DESCRIPTION = length(1, 1024)

_INVALID_URL = FieldError("URL_TYPE_INVALID_URL", "Not a well formed URL.")
_INVALID_SCHEME = 'Scheme "{scheme}" is not supported. Scheme must be one of {schemes}.'
_MAX_SCHEME = 32  # characters of a scheme in an error


class Url(Text):
    """A URL with one of these schemes."""

    def __init__(self, max_length: int, *schemes: str, **kwargs: Any) -> None:
        self._schemes = schemes
        pattern = rf"(?i)({'|'.join(schemes)})://{URL_REST}"
        known = validate.Regexp(pattern, error=_INVALID_URL)
        super().__init__(
            validate=[at_most(max_length), self._check_scheme, known],
            metadata={"format": "uri"},
            **kwargs,
        )

    def _check_scheme(self, url: str) -> None:
        scheme, found, _ = url.partition("://")
        if found and scheme.lower() not in self._schemes:
            text = _INVALID_SCHEME.format(scheme=scheme[:_MAX_SCHEME], schemes=self._schemes)
            raise ValidationError(FieldError("URL_TYPE_INVALID_SCHEME", text))


class EmojiInputSchema(MappingSchema):
    id = Snowflake(allow_none=True)
    name = Text(allow_none=True, validate=at_most(32))
    animated = Bool(**NULL_IS_ABSENT)

    @ma.post_load
    def _into(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        emoji_id, name = data.get("id"), data.get("name")
        if emoji_id is None:
            if not name or not is_emoji(name):
                error = FieldError("COMPONENT_INVALID_EMOJI", "Invalid emoji")
                raise ValidationError({"name": [error]})
            return {"name": name}
        animated = {"animated": data["animated"]} if "animated" in data else {}
        return {"id": str(emoji_id), "name": name or _UNKNOWN_NAME, **animated}


class OptionInputSchema(MappingSchema):
    """An option of a radio group or a checkbox group."""

    label = Text(required=True, validate=length(1, 100))
    value = Text(required=True, validate=length(1, 100))
    description = Text(allow_none=True, validate=at_most(100))
    default = Bool(**NULL_IS_ABSENT)


class SelectOptionInputSchema(OptionInputSchema):
    emoji = Nested(EmojiInputSchema, allow_none=True)


def _kind(*kinds: str) -> Text:
    error = FieldError("BASE_TYPE_CHOICES", "Value must be one of {{{choices}}}.")
    return Text(required=True, validate=validate.OneOf(kinds, error=error))


class DefaultMentionableInputSchema(MappingSchema):
    """A default value of a select: here a user or a role."""

    id = Snowflake(required=True)
    type = _kind("user", "role")

    @ma.post_load
    def _into(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {"id": str(data["id"]), "type": data["type"]}


class DefaultUserInputSchema(DefaultMentionableInputSchema):
    type = _kind("user")


class DefaultRoleInputSchema(DefaultMentionableInputSchema):
    type = _kind("role")


class DefaultChannelInputSchema(DefaultMentionableInputSchema):
    type = _kind("channel")


class MediaInputSchema(MappingSchema):
    """A picture, a video or a file: of the message (`attachment://name`), or at a URL.

    Of what clients receive about it, they may send back everything; the server derives the rest.
    """

    url = Url(2048, "http", "https", "attachment", required=True)


class GalleryItemInputSchema(MappingSchema):
    media = Nested(MediaInputSchema, required=True)
    description = Text(allow_none=True, validate=_DESCRIPTION)
    spoiler = Bool(load_default=False, **NULL_IS_ABSENT)

    @ma.post_load
    def _into(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {"description": None, **data}


def media_description() -> Text:
    """Return the field for the description of a picture."""
    return Text(allow_none=True, validate=_DESCRIPTION)

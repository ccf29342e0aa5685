"""Schemas of searches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from marshmallow import validate

from chatd.core.ids import MAX_ID
from chatd.core.search import AuthorType, Has
from chatd.wire.base_schema import Schema
from chatd.wire.fields import List
from chatd.wire.query_fields import Digits, Flag, Id
from chatd.wire.text_fields import Text
from chatd.wire.unsupported import UnsupportedParameter
from chatd.wire.validators import FieldError, length, within


class Sorting(StrEnum):
    """Sort keys of search results, as Discord names them."""

    TIMESTAMP = "timestamp"
    RELEVANCE = "relevance"


@dataclass(frozen=True, slots=True)
class MessageSearch:
    """The filters of a search, and the requested page."""

    content: str = ""
    """Words, and phrases in quotation marks."""
    author_id: Sequence[int] = ()
    channel_id: Sequence[int] = ()
    mentions: Sequence[int] = ()
    has: Sequence[str] = ()
    """Kinds of content; after a minus sign, content that the message does not have."""
    min_id: int = 0
    max_id: int = MAX_ID
    limit: int = 25
    offset: int = 0
    sort_by: str = Sorting.TIMESTAMP
    sort_order: str = "desc"
    pinned: bool | None = None
    mention_everyone: bool | None = None
    author_type: Sequence[str] = ()
    """Kinds of authors; after a minus sign, excluded kinds."""
    mentions_role_id: Sequence[int] = ()
    replied_to_user_id: Sequence[int] = ()
    replied_to_message_id: Sequence[int] = ()
    link_hostname: Sequence[str] = ()
    embed_provider: Sequence[str] = ()
    embed_type: Sequence[str] = ()
    attachment_filename: Sequence[str] = ()
    attachment_extension: Sequence[str] = ()
    include_nsfw: bool = False


def _one_of(*words: str) -> validate.OneOf:
    text = f"Value must be one of ({', '.join(words)})."
    return validate.OneOf(words, error=FieldError("BASE_TYPE_CHOICES", text))


_HAS = [sign + has for has in Has for sign in ("", "-")]
_AUTHOR_TYPES = [sign + each for each in AuthorType for sign in ("", "-")]
_EMBED_TYPES = ("image", "video", "gif", "sound", "article")


def _ids() -> List:
    return List(Id(), validate=length(0, 100))


def _texts(max_length: int) -> List:
    return List(Text(validate=length(1, max_length)), validate=length(0, 100))


class MessageSearchSchema(Schema[MessageSearch]):
    into = MessageSearch
    content = Text(validate=length(0, 1024))
    author_id = List(Id(), validate=length(0, 100))
    channel_id = List(Id(), validate=length(0, 500))
    mentions = List(Id(), validate=length(0, 100))
    has = List(Text(validate=_one_of(*_HAS)), validate=length(0, 2 * len(_HAS)))
    min_id = Id()
    max_id = Id()
    limit = Digits(validate=within(1, 25))
    offset = Digits(validate=within(0, 9975))
    sort_by = Text(validate=_one_of(*Sorting))
    sort_order = Text(validate=_one_of("desc", "asc"))
    pinned = Flag()
    mention_everyone = Flag()
    author_type = List(Text(validate=_one_of(*_AUTHOR_TYPES)), validate=length(0, 6))
    mentions_role_id = _ids()
    replied_to_user_id = _ids()
    replied_to_message_id = _ids()
    link_hostname = _texts(256)
    embed_provider = _texts(256)
    embed_type = List(Text(validate=_one_of(*_EMBED_TYPES)), validate=length(0, 5))
    attachment_filename = _texts(1024)
    attachment_extension = _texts(256)
    include_nsfw = Flag()
    slop = UnsupportedParameter("how far apart words may be; phrases can be put in quotes", "2")

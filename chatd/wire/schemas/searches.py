"""Of searches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from marshmallow import fields, validate

from chatd.core.ids import MAX_ID
from chatd.core.search import Has
from chatd.wire.fields import Problem, Schema, Text, length, within
from chatd.wire.query_fields import Digits, Flag, Id


class Sorting(StrEnum):
    """By what hits are sorted. Names are Discord's."""

    TIMESTAMP = "timestamp"
    RELEVANCE = "relevance"


@dataclass(frozen=True, slots=True)
class MessageSearch:
    """What is looked for, and which page of it is shown."""

    content: str = ""
    """Words, and phrases between quotation marks."""
    author_id: Sequence[int] = ()
    channel_id: Sequence[int] = ()
    mentions: Sequence[int] = ()
    has: Sequence[str] = ()
    """Kinds of what a message holds; one after a minus is what it does not."""
    min_id: int = 0
    max_id: int = MAX_ID
    limit: int = 25
    offset: int = 0
    sort_by: str = Sorting.TIMESTAMP
    sort_order: str = "desc"
    pinned: bool | None = None
    mention_everyone: bool | None = None


def _one_of(*words: str) -> validate.OneOf:
    text = f"Value must be one of ({', '.join(words)})."
    return validate.OneOf(words, error=Problem("BASE_TYPE_CHOICES", text))


_HAS = [sign + has for has in Has for sign in ("", "-")]


class MessageSearchSchema(Schema[MessageSearch]):
    into = MessageSearch
    content = Text(validate=length(0, 1024))
    author_id = fields.List(Id(), validate=length(0, 100))
    channel_id = fields.List(Id(), validate=length(0, 500))
    mentions = fields.List(Id(), validate=length(0, 100))
    has = fields.List(Text(validate=_one_of(*_HAS)), validate=length(0, 2 * len(_HAS)))
    min_id = Id()
    max_id = Id()
    limit = Digits(validate=within(1, 25))
    offset = Digits(validate=within(0, 9975))
    sort_by = Text(validate=_one_of(*Sorting))
    sort_order = Text(validate=_one_of("desc", "asc"))
    pinned = Flag()
    mention_everyone = Flag()

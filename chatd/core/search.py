"""What a search looks for, and by which keys of the index that can be found.

Texts are compared as `search_text` of sql/0008 makes them: NFKC, without case. The keys of a
message are its grams: at every place that is no space the three letters from there on, fewer where
a word ends. What is not in the text has keys that begin with a space, which no gram does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from chatd.core.ids import ChannelId, UserId

GRAM = 3
"""Letters in a gram."""

LINK, FILE, EMBED, EVERYONE = " l", " f", " e", " @"
"""Keys of messages that may hold a link, hold files or embeds, or mention everyone."""

_TERMS = re.compile(r'"([^"]*)"|(\S+)')
_HIGHEST = "\U0010ffff" * GRAM
_MOST_GROUPS = 16  # grams of a search; those of a longer text are told apart by fewer

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Range:
    """Keys from `low` to `high`, both included, in the order of their code points."""

    low: str
    high: str


Group = Sequence[Range]
"""Ranges of which a message has to have a key."""


class Has(StrEnum):
    """What a message may hold. Names are Discord's."""

    LINK = "link"
    EMBED = "embed"
    FILE = "file"
    IMAGE = "image"
    VIDEO = "video"
    SOUND = "sound"


@dataclass(frozen=True, slots=True)
class Filter:
    """What a message has to be like. Lists that are empty ask for nothing, but for `channels`."""

    channels: Sequence[ChannelId]
    """Where to search: nothing is found outside of these."""
    terms: Sequence[str] = ()
    """Each as search_text has made it; all have to be in the text."""
    authors: Sequence[UserId] = ()
    mentions: Sequence[UserId] = ()
    has: frozenset[Has] = frozenset()
    has_not: frozenset[Has] = frozenset()
    min_id: int = 0
    """Only messages above it."""
    max_id: int = 2**63 - 1
    """Only messages below it."""
    pinned: bool | None = None
    mention_everyone: bool | None = None


def terms(content: str) -> list[str]:
    """The words of a search, and what stands between quotation marks as one.

    A quotation mark without its counterpart is a letter as any other.
    """
    found = (phrase or word for phrase, word in _TERMS.findall(content))
    return [term for term in found if term.strip()]


def groups(wanted: Filter, *, few_channels: int) -> list[Group]:
    """What every message that meets the filter has keys of. The converse need not be true."""
    found: list[Group] = [*_exactly(text_keys(wanted.terms))]
    for letter, ids in (("a", wanted.authors), ("m", wanted.mentions)):
        if ids:
            found.append([_one(f" {letter}{each}") for each in ids])
    if len(wanted.channels) <= few_channels:
        found.append([_one(f" c{each}") for each in wanted.channels])
    if Has.LINK in wanted.has:
        found.append([_one(LINK)])
    if Has.EMBED in wanted.has:
        found.append([_one(EMBED)])
    if wanted.has & {Has.FILE, Has.IMAGE, Has.VIDEO, Has.SOUND}:
        found.append([_one(FILE)])
    if wanted.mention_everyone:
        found.append([_one(EVERYONE)])
    return found


def text_keys(terms: Iterable[str]) -> list[Range]:
    """The ranges of which every text with these terms has a key each."""
    found: dict[Range, None] = {}
    for term in terms:
        for word in term.split(" "):
            for start in range(max(1, len(word) - GRAM + 1)):
                gram = word[start : start + GRAM]
                if len(gram) == GRAM:
                    found[_one(gram)] = None
                elif gram:
                    found[Range(gram, gram + _HIGHEST)] = None
    return _spread(list(found), _MOST_GROUPS)


def _exactly(ranges: Iterable[Range]) -> Iterable[Group]:
    return ([each] for each in ranges)


def _one(key: str) -> Range:
    return Range(key, key)


def _spread(items: list[T], most: int) -> list[T]:
    """At most so many of them, from everywhere in the list."""
    if len(items) <= most:
        return items
    return [items[index * len(items) // most] for index in range(most)]

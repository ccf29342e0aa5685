"""Search filters, and the index keys by which matching messages are found.

Texts are compared in the form that `search_text` of sql/0008 returns: NFKC, case-folded. The keys
of a text are its grams: the three letters from each position that is not a space, or fewer at the
end of a word. Other properties of a message have keys that begin with a space, which grams do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from chatd.core.ids import ChannelId, MessageId, RoleId, UserId

GRAM = 3
"""The letters of a gram."""

LINK, FILE, EMBED, EVERYONE = " l", " f", " e", " @"
"""Keys of messages that may contain a link, have files or embeds, or mention @everyone."""

_TERMS = re.compile(r'"([^"]*)"|(\S+)')
_HIGHEST = "\U0010ffff" * GRAM
_MAX_GRAMS = 16  # grams of one search; a longer text uses a sample of its grams

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Range:
    """Keys from `low` to `high`, both inclusive, in the order of their code points."""

    low: str
    high: str


Group = Sequence[Range]
"""Alternatives: a matching message has a key in at least one of these ranges."""


class Has(StrEnum):
    """The kinds of content to search for. Names are Discord's."""

    LINK = "link"
    EMBED = "embed"
    FILE = "file"
    IMAGE = "image"
    VIDEO = "video"
    SOUND = "sound"


class AuthorType(StrEnum):
    """The kinds of accounts that author messages. Names are Discord's."""

    USER = "user"
    BOT = "bot"
    WEBHOOK = "webhook"


EVERY_AUTHOR = frozenset(AuthorType)


@dataclass(frozen=True, slots=True)
class Filter:
    """The conditions of a search. An empty list is no condition, except for `channels`."""

    channels: Sequence[ChannelId]
    """The channels to search. Messages of other channels do not match."""
    terms: Sequence[str] = ()
    """Terms that the text must contain, each in the form that search_text returns."""
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
    author_types: frozenset[AuthorType] = EVERY_AUTHOR
    mention_roles: Sequence[RoleId] = ()
    replied_to_users: Sequence[UserId] = ()
    replied_to: Sequence[MessageId] = ()
    link_hosts: Sequence[str] = ()
    embed_providers: Sequence[str] = ()
    embed_types: Sequence[str] = ()
    filenames: Sequence[str] = ()
    extensions: Sequence[str] = ()

    @property
    def asks_for_files(self) -> bool:
        """Whether only messages with files match."""
        kinds = {Has.FILE, Has.IMAGE, Has.VIDEO, Has.SOUND}
        return bool(self.has & kinds or self.filenames or self.extensions)

    @property
    def asks_for_embeds(self) -> bool:
        """Whether only messages with embeds match."""
        return bool(Has.EMBED in self.has or self.embed_providers or self.embed_types)

    @property
    def asks_for_links(self) -> bool:
        """Whether only messages with links match."""
        return bool(Has.LINK in self.has or self.link_hosts)


def author_types(wanted: Iterable[str]) -> frozenset[AuthorType]:
    """Return the requested kinds of authors. A minus before a kind excludes it."""
    words = set(wanted)
    named = {each for each in AuthorType if each in words}
    refused = {each for each in AuthorType if f"-{each}" in words}
    return frozenset((named or EVERY_AUTHOR) - refused)


def terms(content: str) -> list[str]:
    """Return the terms of a search: its words, and each text between quotation marks as one.

    An unmatched quotation mark is an ordinary letter.
    """
    found = (phrase or word for phrase, word in _TERMS.findall(content))
    return [term for term in found if term.strip()]


def groups(wanted: Filter, *, few_channels: int) -> list[Group]:
    """Return groups of index keys. Every matching message has a key in each group.

    A message with a key in each group need not match.
    """
    found: list[Group] = [*_exactly(text_keys(wanted.terms))]
    for letter, ids in (("a", wanted.authors), ("m", wanted.mentions)):
        if ids:
            found.append([_one(f" {letter}{each}") for each in ids])
    if len(wanted.channels) <= few_channels:
        found.append([_one(f" c{each}") for each in wanted.channels])
    if wanted.asks_for_links:
        found.append([_one(LINK)])
    if wanted.asks_for_embeds:
        found.append([_one(EMBED)])
    if wanted.asks_for_files:
        found.append([_one(FILE)])
    if wanted.mention_everyone:
        found.append([_one(EVERYONE)])
    return found


def text_keys(terms: Iterable[str]) -> list[Range]:
    """Return ranges of index keys. Every text with these terms has a key in each range."""
    found: dict[Range, None] = {}
    for term in terms:
        for word in term.split(" "):
            for start in range(max(1, len(word) - GRAM + 1)):
                gram = word[start : start + GRAM]
                if len(gram) == GRAM:
                    found[_one(gram)] = None
                elif gram:
                    found[Range(gram, gram + _HIGHEST)] = None
    return _sample_evenly(list(found), _MAX_GRAMS)


def _exactly(ranges: Iterable[Range]) -> Iterable[Group]:
    return ([each] for each in ranges)


def _one(key: str) -> Range:
    return Range(key, key)


def _sample_evenly(items: list[T], count: int) -> list[T]:
    """Return at most `count` items, evenly spaced over the list."""
    if len(items) <= count:
        return items
    return [items[index * len(items) // count] for index in range(count)]

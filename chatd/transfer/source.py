"""Messages of another server, in the form in which they are loaded."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chatd.core.ids import MAX_ID
from chatd.core.models import Embed, MessageType

Json = dict[str, Any]

_ID = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)  # one text for each number


@dataclass(frozen=True, slots=True)
class SourceFile:
    """An attachment in an export: its address is a path if the export has its file."""

    source_id: int
    address: str
    name: str
    size: int | None = None
    """Bytes that the source says it has."""


@dataclass(slots=True)
class SourceMessage:
    """A message of an export. Users are named by their ids as texts, as in `users`."""

    number: int
    """Its place in the file, from 1 on."""
    source_id: int
    type: MessageType
    content: str
    author: str
    edited_at: datetime | None = None
    is_pinned: bool = False
    reference_id: int | None = None
    mentions: list[str] = field(default_factory=list)
    embeds: list[Embed] = field(default_factory=list)
    files: list[SourceFile] = field(default_factory=list)
    reactions: list[tuple[str, list[str]]] = field(default_factory=list)
    flags: int = 0
    mention_everyone: bool = False
    mention_roles: list[int] = field(default_factory=list)
    """Roles by their ids in the source."""
    users: list[Json] = field(default_factory=list)
    """The author, and all users whom it mentions or who have reacted."""
    notes: list[tuple[str, str]] = field(default_factory=list)
    """Kinds and texts of what has another form than in the export."""
    problems: list[tuple[str, str]] = field(default_factory=list)
    """Kinds and texts of what is missing."""


def source_id_of(text: object) -> int | None:
    """Return an id of an export; None for anything else."""
    if not isinstance(text, str) or not _ID.fullmatch(text):
        return None
    number = int(text)
    return number if number <= MAX_ID else None


def text_of(value: object) -> str:
    """Return a text without NUL, which Postgres does not store; empty for anything else."""
    return value.replace("\0", "") if isinstance(value, str) else ""


def objects(value: object, limit: int = 100_000) -> Sequence[Json]:
    """Return the objects in a list; none for anything else."""
    if not value or not isinstance(value, list):
        return ()
    return [each for each in value[:limit] if isinstance(each, dict)]

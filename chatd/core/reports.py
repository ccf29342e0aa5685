"""Reports of messages, users and guilds to the administrators of the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from chatd.core.ids import ChannelId, GuildId, ReportId, UserId


class ReportKind(StrEnum):
    """What is reported."""

    MESSAGE = "message"
    USER = "user"
    GUILD = "guild"


class ReportCategory(StrEnum):
    """Why it is reported."""

    SPAM = "spam"
    HARASSMENT = "harassment"
    HATE = "hate"
    VIOLENCE = "violence"
    SELF_HARM = "self_harm"
    SEXUAL = "sexual"
    CHILD_SAFETY = "child_safety"
    ILLEGAL = "illegal"
    IMPERSONATION = "impersonation"
    MALWARE = "malware"
    OTHER = "other"


class ReportOutcome(StrEnum):
    """What an administrator has decided."""

    NO_ACTION = "no_action"
    MESSAGE_DELETED = "message_deleted"
    USER_WARNED = "user_warned"
    """The administrator has written to the user; the server does nothing."""
    USER_DISABLED = "user_disabled"
    GUILD_DELETED = "guild_deleted"
    OTHER = "other"
    """Something else, which the note describes; the server does nothing."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a report is about: a message with its place and author, a user, or a guild."""

    kind: ReportKind
    id: int
    channel_id: ChannelId | None = None
    guild_id: GuildId | None = None
    user_id: UserId | None = None
    """The author of the message, the user, or the owner of the guild."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """The decision about a report."""

    resolved_at: datetime
    outcome: ReportOutcome
    note: str
    resolver_id: UserId | None
    """None: the operator, on the command line."""
    resolver: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """A report, with its evidence as it was when it was made."""

    id: ReportId
    reporter_id: UserId
    reporter: str
    subject: Subject
    category: str
    comment: str
    evidence: Mapping[str, Any]
    resolution: Resolution | None
    similar: int
    """How many other open reports are about the same subject."""

"""Acts: calls of functions of `chatd.queries`, the rows that each touches, and ids of the scene."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from chatd.core.ids import (
    AttachmentId,
    ChannelId,
    GuildId,
    InteractionId,
    MessageId,
    RoleId,
    UserId,
    WebhookId,
)
from chatd.core.models import Attachment
from chatd.db.cursor import Cursor
from chatd.queries.crossposts import Crosspost

Touched: TypeAlias = dict[str, list[dict[str, Any]]]
"""Patterns of rows by table. A row may be touched when it has all values of one pattern."""

GUILD, CHANNEL, MESSAGE = GuildId(100), ChannelId(110), MessageId(1001)
BOT = UserId(8)
WEBHOOK = WebhookId(1101)
WHISPER, INTERACTION = MessageId(8001), InteractionId(7001)
USER, ROLE, GROUP = UserId(2), RoleId(101), ChannelId(320)
GUILDS = [GUILD, GuildId(200)]
CROSSPOST = Crosspost(CHANNEL, MESSAGE, 0, 1, 0)
FIRST = {"channel_id": 110, "message_id": 1001}


@dataclass(frozen=True)
class Act:
    """A call of a function of `chatd.queries`, and the rows that it touches."""

    covers: Callable[..., Any]
    call: Callable[[Cursor], Awaitable[object]]
    touches: Touched


def act(
    covers: Callable[..., Any], call: Callable[[Cursor], Awaitable[object]], **touches: Any
) -> Act:
    """Return an act. The patterns of a table may be a single dict."""
    patterns = {
        table: each if isinstance(each, list) else [each] for table, each in touches.items()
    }
    return Act(covers, call, patterns)


def file_with_id(file_id: int) -> Attachment:
    return Attachment(AttachmentId(file_id), "name", "text/plain", 1, None, None, None, "")


IN_GUILD, OF_CHANNELS = {"guild_id": GUILD}, {"channel_ids": [str(CHANNEL)]}

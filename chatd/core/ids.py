"""Ids, each of its own type, so that a swapped pair is an error of types."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NewType

UserId = NewType("UserId", int)
LoginId = NewType("LoginId", int)
GuildId = NewType("GuildId", int)
RoleId = NewType("RoleId", int)
ChannelId = NewType("ChannelId", int)
AttachmentId = NewType("AttachmentId", int)
MessageId = NewType("MessageId", int)
AuditEntryId = NewType("AuditEntryId", int)

StreamId = NewType("StreamId", int)
"""What shares one order of events: the id of a guild, a private channel or a user."""

MAX_ID = 2**63 - 1  # a signed 64-bit integer in Postgres

_DIGITS = re.compile(r"[0-9]{1,19}", re.ASCII)


@lru_cache(maxsize=2**14)  # a request's ids are looked at by all that it passes
def parse_id(text: str) -> int:
    """The number of an id as clients write it. Raises ValueError for all that is no snowflake."""
    if not _DIGITS.fullmatch(text):  # int() would take "１２", "1_0" and " 7 " too
        raise ValueError(f"{text[:40]!r} is not a snowflake")
    number = int(text)
    if number > MAX_ID:
        raise ValueError(f"{text} is above the range of snowflakes")
    return number

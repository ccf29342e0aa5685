"""Ids. Each kind has its own type, so that a type checker finds swapped arguments."""

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
UploadId = NewType("UploadId", int)
MessageId = NewType("MessageId", int)
WebhookId = NewType("WebhookId", int)
InteractionId = NewType("InteractionId", int)
AuditEntryId = NewType("AuditEntryId", int)
CommandId = NewType("CommandId", int)
PasskeyId = NewType("PasskeyId", int)
ExportId = NewType("ExportId", int)
ReportId = NewType("ReportId", int)
MailId = NewType("MailId", int)
AutoModRuleId = NewType("AutoModRuleId", int)

StreamId = NewType("StreamId", int)
"""The id of a stream: events of one guild, private channel or user, in one sequence."""

MAX_ID = 2**63 - 1  # a signed 64-bit integer in Postgres

_DIGITS = re.compile(r"[0-9]{1,19}", re.ASCII)


@lru_cache(maxsize=2**14)  # several layers parse the ids of one request
def parse_id(text: str) -> int:
    """Return the number of an id in decimal digits. Raises ValueError for any other text."""
    if not _DIGITS.fullmatch(text):  # int() would accept "１２", "1_0" and " 7 " too
        raise ValueError(f"{text[:40]!r} is not a snowflake")
    number = int(text)
    if number > MAX_ID:
        raise ValueError(f"{text} is above the range of snowflakes")
    return number

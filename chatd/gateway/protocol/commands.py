"""Commands of clients, with the opcodes and close codes of the gateway.

Rule: Discord docs, Gateway, "Opcodes" and "Close Codes".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from chatd.core.capabilities import UserClient
from chatd.core.ids import GuildId
from chatd.core.intents import Intents
from chatd.core.presence import Activity, Presence, Status
from chatd.wire.schemas.gateway import (
    GuildSubscription,
    LastMessagesRequest,
    MemberRequest,
    RecentMembers,
)


class Opcode(IntEnum):
    DISPATCH = 0
    HEARTBEAT = 1
    IDENTIFY = 2
    PRESENCE_UPDATE = 3
    RESUME = 6
    RECONNECT = 7
    REQUEST_GUILD_MEMBERS = 8
    INVALID_SESSION = 9
    HELLO = 10
    HEARTBEAT_ACK = 11
    GUILD_SUBSCRIPTIONS = 14
    REQUEST_SOUNDBOARD_SOUNDS = 31
    REQUEST_LAST_MESSAGES = 34
    SEARCH_RECENT_MEMBERS = 35
    REQUEST_CHANNEL_STATUSES = 36
    GUILD_SUBSCRIPTIONS_BULK = 37
    QOS_HEARTBEAT = 40
    REQUEST_CHANNEL_INFO = 43


class CloseCode(IntEnum):
    """Why the server closes a connection. Discord's table says after which codes clients resume."""

    GOING_AWAY = 1001
    UNKNOWN_ERROR = 4000
    DECODE_ERROR = 4002
    NOT_AUTHENTICATED = 4003
    AUTHENTICATION_FAILED = 4004
    ALREADY_AUTHENTICATED = 4005
    INVALID_SEQ = 4007
    RATE_LIMITED = 4008
    SESSION_TIMED_OUT = 4009
    INVALID_SHARD = 4010
    INVALID_API_VERSION = 4012
    INVALID_INTENTS = 4013
    DISALLOWED_INTENTS = 4014


ABUSE_CODES = frozenset(
    {
        CloseCode.DECODE_ERROR,
        CloseCode.NOT_AUTHENTICATED,
        CloseCode.RATE_LIMITED,
    }
)
"""The codes that count as abuse: the client violated the protocol or a rate limit."""


SESSION_ENDING_CODES = frozenset({CloseCode.ALREADY_AUTHENTICATED, CloseCode.INVALID_SEQ})
"""The codes that end the session, so that a RESUME gets INVALID_SESSION.

The client has sent what contradicts the state of its session. After any other code the client can
resume the session, if there is one.
"""


class CloseConnection(Exception):
    """Disconnects the client, with a close code and a reason that the close frame contains."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Acknowledges the dispatches up to `seq`."""

    seq: int | None


@dataclass(frozen=True, slots=True)
class Identify:
    """Starts a session. `shard` is (index, count)."""

    token: str
    intents: Intents
    large_threshold: int
    shard: tuple[int, int]
    presence: Presence
    device: str
    compress: bool
    user_client: UserClient | None
    """None if the client sends no capabilities."""
    knows_status: bool
    """Whether `presence` has the status that the client wants to show."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Continues a session after the dispatch `seq`."""

    token: str
    session_id: str
    seq: int


@dataclass(frozen=True, slots=True)
class UpdatePresence:
    """Sets the presence of the session. The kind of device is that of IDENTIFY.

    `status` is None if the client does not know its status: then it stays as it is.
    """

    status: Status | None
    activities: tuple[Activity, ...]


@dataclass(frozen=True, slots=True)
class RequestMembers:
    """Requests members of guilds, in chunks."""

    request: MemberRequest


@dataclass(frozen=True, slots=True)
class RequestSoundboardSounds:
    """Requests the soundboards of guilds. They are empty here, but clients wait for the answer."""

    guild_ids: tuple[GuildId, ...]


@dataclass(frozen=True, slots=True)
class SearchRecentMembers:
    """Requests the members of a guild that joined last."""

    request: RecentMembers


@dataclass(frozen=True, slots=True)
class RequestLastMessages:
    """Requests the last messages of channels of a guild."""

    request: LastMessagesRequest


@dataclass(frozen=True, slots=True)
class RequestChannelInfo:
    """Requests the state of a guild's voice channels. The answer is empty, but clients wait for it.

    `event` is the name of the answer.
    """

    guild_id: GuildId
    event: str


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Subscribes to TYPING_START of guilds, and to windows of their member lists."""

    subscriptions: Sequence[GuildSubscription]


@dataclass(frozen=True, slots=True)
class IgnoredCommand:
    """A command without effect: of voice or calls, which do not exist here, or an unknown one."""

    op: int


Command = (
    Heartbeat
    | Identify
    | Resume
    | UpdatePresence
    | RequestMembers
    | RequestSoundboardSounds
    | SearchRecentMembers
    | RequestChannelInfo
    | RequestLastMessages
    | Subscribe
    | IgnoredCommand
)

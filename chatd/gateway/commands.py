"""What clients may send: frames read into dataclasses.

Rule: Discord docs, Gateway, "Opcodes" and "Close Codes".
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import orjson

from chatd.core.errors import InvalidForm
from chatd.core.ids import GuildId, parse_id
from chatd.core.intents import ALL_INTENTS, Intents
from chatd.core.presence import Presence, Status
from chatd.wire.schemas import gateway as schemas
from chatd.wire.schemas.gateway import MemberRequest, WantedPresence

MAX_PAYLOAD = 4096  # bytes


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
    REQUEST_SOUNDBOARD_SOUNDS = 31


class CloseCode(IntEnum):
    """Why the server closes. A client may resume unless Discord's table says otherwise."""

    GOING_AWAY = 1001
    UNKNOWN_ERROR = 4000
    UNKNOWN_OPCODE = 4001
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


UNRULY = frozenset(
    {
        CloseCode.UNKNOWN_OPCODE,
        CloseCode.DECODE_ERROR,
        CloseCode.NOT_AUTHENTICATED,
        CloseCode.RATE_LIMITED,
    }
)
"""Of a client that does not keep to the protocol, or not to its limits."""


FINAL = frozenset({CloseCode.ALREADY_AUTHENTICATED, CloseCode.INVALID_SEQ})
"""Of a client that does not know where it stands: its session is over, and RESUME is refused.

The others either leave a session to be resumed, or there is none.
"""


class CloseWith(Exception):
    """The client is to be disconnected, for a reason that it is told."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Heartbeat:
    seq: int | None


@dataclass(frozen=True, slots=True)
class Identify:
    """`shard` is (which, of how many)."""

    token: str
    intents: Intents
    large_threshold: int
    shard: tuple[int, int]
    presence: Presence
    client: str
    compress: bool


@dataclass(frozen=True, slots=True)
class Resume:
    token: str
    session_id: str
    seq: int


@dataclass(frozen=True, slots=True)
class ShowPresence:
    """What the client shows from now on; on which kind of device, its session knows."""

    presence: Presence


@dataclass(frozen=True, slots=True)
class RequestMembers:
    """Give me members of a guild, in chunks."""

    wanted: MemberRequest


@dataclass(frozen=True, slots=True)
class RequestSounds:
    """Give me the soundboards of these guilds. They are empty here; clients wait for the answer."""

    guild_ids: tuple[GuildId, ...]


@dataclass(frozen=True, slots=True)
class Ignored:
    """A command about voice, which Discord has and this server does not."""

    op: int


Command = Heartbeat | Identify | Resume | ShowPresence | RequestMembers | RequestSounds | Ignored

_IGNORED = frozenset({4, 43})
_IDENTIFY = schemas.IdentifySchema()
_PRESENCE = schemas.PresenceSchema()
_MEMBER_REQUEST = schemas.MemberRequestSchema()
_RESUME = schemas.ResumeSchema()
_MOBILE = ("ios", "android")


def parse(frame: str | bytes) -> Command:
    """The command in a frame, text or binary. Raises CloseWith."""
    data = frame.encode() if isinstance(frame, str) else frame
    if len(data) > MAX_PAYLOAD:
        raise CloseWith(CloseCode.DECODE_ERROR, "Payload too large.")
    try:
        payload = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise CloseWith(CloseCode.DECODE_ERROR, "Not JSON.") from None
    if not isinstance(payload, dict) or type(payload.get("op")) is not int:
        raise CloseWith(CloseCode.DECODE_ERROR, "No opcode.")
    op = payload["op"]
    if op in _IGNORED:
        return Ignored(op)
    read = _READERS.get(op)
    if read is None:
        raise CloseWith(CloseCode.UNKNOWN_OPCODE, "Unknown opcode.")
    return read(payload.get("d"))


def _heartbeat(data: Any) -> Heartbeat:
    if data is not None and type(data) is not int:
        raise CloseWith(CloseCode.DECODE_ERROR, "A heartbeat holds a sequence number or null.")
    return Heartbeat(data)


def _identify(data: Any) -> Identify:
    try:
        wanted = _IDENTIFY.read(data)
    except InvalidForm as refused:
        if "intents" in refused.errors:
            raise CloseWith(CloseCode.INVALID_INTENTS, "Invalid intents.") from None
        if "shard" in refused.errors:
            raise CloseWith(CloseCode.INVALID_SHARD, "Invalid shard.") from None
        raise CloseWith(CloseCode.DECODE_ERROR, "Invalid identify.") from None
    intents = int(ALL_INTENTS) if wanted.intents is None else wanted.intents
    shard = wanted.shard or [0, 1]
    if intents & ~int(ALL_INTENTS):  # of a flag, ~ leaves out the bits that it does not know
        raise CloseWith(CloseCode.INVALID_INTENTS, "Invalid intents.")
    if not 0 <= shard[0] < shard[1]:
        raise CloseWith(CloseCode.INVALID_SHARD, "Invalid shard.")
    properties = wanted.properties or {}
    return Identify(
        wanted.token,
        Intents(intents),
        wanted.large_threshold,
        (shard[0], shard[1]),
        _shown(wanted.presence or WantedPresence()),
        _client(properties.get("os"), properties.get("browser")),
        wanted.compress is True,  # oceanic.js sends the name of its transport here
    )


def _client(*told: object) -> str:
    """The kind of device, as presences tell it. Rule: Discord docs, "Client Status Object"."""
    words = " ".join(each for each in told if isinstance(each, str)).lower()
    return "mobile" if any(word in words for word in _MOBILE) else "desktop"


def _show_presence(data: Any) -> ShowPresence:
    try:
        return ShowPresence(_shown(_PRESENCE.read(data)))
    except InvalidForm:
        raise CloseWith(CloseCode.DECODE_ERROR, "Invalid presence.") from None


def _shown(wanted: WantedPresence) -> Presence:
    status = Status(wanted.status or Status.ONLINE)
    now_ms = int(time.time() * 1000)
    activities = tuple({"created_at": now_ms, **each} for each in wanted.activities or ())
    return Presence(status, activities)


def _request_members(data: Any) -> RequestMembers:
    try:
        wanted = _MEMBER_REQUEST.read(data)
    except InvalidForm:
        raise CloseWith(CloseCode.DECODE_ERROR, "Invalid request for members.") from None
    if (wanted.query is None) == (wanted.user_ids is None):
        raise CloseWith(CloseCode.DECODE_ERROR, "Either query or user_ids is needed.")
    return RequestMembers(wanted)


def _request_sounds(data: Any) -> RequestSounds:
    listed = data.get("guild_ids") if isinstance(data, dict) else None
    try:
        return RequestSounds(tuple(GuildId(parse_id(str(each))) for each in listed or ()))
    except (TypeError, ValueError):
        raise CloseWith(CloseCode.DECODE_ERROR, "Invalid guild_ids.") from None


def _resume(data: Any) -> Resume:
    try:
        wanted = _RESUME.read(data)
    except InvalidForm:
        raise CloseWith(CloseCode.DECODE_ERROR, "Invalid resume.") from None
    return Resume(wanted.token, wanted.session_id, wanted.seq)


_READERS: dict[int, Callable[[Any], Command]] = {
    Opcode.HEARTBEAT: _heartbeat,
    Opcode.IDENTIFY: _identify,
    Opcode.PRESENCE_UPDATE: _show_presence,
    Opcode.RESUME: _resume,
    Opcode.REQUEST_GUILD_MEMBERS: _request_members,
    Opcode.REQUEST_SOUNDBOARD_SOUNDS: _request_sounds,
}

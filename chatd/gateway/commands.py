"""What clients may send: frames read into dataclasses.

Rule: Discord docs, Gateway, "Opcodes" and "Close Codes".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import orjson

from chatd.core.errors import InvalidForm
from chatd.core.intents import ALL_INTENTS, Intents
from chatd.wire.schemas import gateway as schemas

MAX_PAYLOAD = 4096  # bytes


class Opcode(IntEnum):
    DISPATCH = 0
    HEARTBEAT = 1
    IDENTIFY = 2
    RESUME = 6
    RECONNECT = 7
    INVALID_SESSION = 9
    HELLO = 10
    HEARTBEAT_ACK = 11


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


@dataclass(frozen=True, slots=True)
class Resume:
    token: str
    session_id: str
    seq: int


@dataclass(frozen=True, slots=True)
class Ignored:
    """A command about presence, voice or member lists: Discord has it, this server does not."""

    op: int


Command = Heartbeat | Identify | Resume | Ignored

_IGNORED = frozenset({3, 4, 8, 31, 43})


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
    content = payload.get("d")
    match payload["op"]:
        case Opcode.HEARTBEAT:
            return _heartbeat(content)
        case Opcode.IDENTIFY:
            return _identify(content)
        case Opcode.RESUME:
            return _resume(content)
        case op if op in _IGNORED:
            return Ignored(op)
        case _:
            raise CloseWith(CloseCode.UNKNOWN_OPCODE, "Unknown opcode.")


def _heartbeat(data: Any) -> Heartbeat:
    if data is not None and type(data) is not int:
        raise CloseWith(CloseCode.DECODE_ERROR, "A heartbeat holds a sequence number or null.")
    return Heartbeat(data)


def _identify(data: Any) -> Identify:
    try:
        wanted = schemas.IdentifySchema().read(data)
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
    return Identify(wanted.token, Intents(intents), wanted.large_threshold, (shard[0], shard[1]))


def _resume(data: Any) -> Resume:
    try:
        wanted = schemas.ResumeSchema().read(data)
    except InvalidForm:
        raise CloseWith(CloseCode.DECODE_ERROR, "Invalid resume.") from None
    return Resume(wanted.token, wanted.session_id, wanted.seq)

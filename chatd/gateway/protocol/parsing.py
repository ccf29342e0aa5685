"""Parsing of commands: text and binary frames become the dataclasses of `commands`.

A frame with an unknown opcode is no error: clients of Discord send opcodes that no document names.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson

from chatd.core.capabilities import KNOWN, Capabilities, UserClient
from chatd.core.errors import InvalidForm
from chatd.core.intents import ALL_INTENTS, WITHOUT_EVENTS, Intents
from chatd.core.presence import Activity, Presence, Status
from chatd.gateway.protocol.commands import (
    CloseCode,
    CloseConnection,
    Command,
    Heartbeat,
    Identify,
    IgnoredCommand,
    Opcode,
    RequestChannelInfo,
    RequestLastMessages,
    RequestMembers,
    RequestSoundboardSounds,
    Resume,
    SearchRecentMembers,
    Subscribe,
    UpdatePresence,
)
from chatd.wire.schemas import gateway as schemas
from chatd.wire.schemas.gateway import IdentifyPayload, PresenceInput

MAX_PAYLOAD = 15 * 1024
"""Bytes. Discord documents 4,096 for bots; its own clients send up to 15 KiB in one payload."""

_IDENTIFY = schemas.IdentifySchema()
_PRESENCE = schemas.PresenceSchema()
_MEMBER_REQUEST = schemas.MemberRequestSchema()
_SOUNDBOARD_REQUEST = schemas.SoundsRequestSchema()
_RESUME = schemas.ResumeSchema()
_RECENT_MEMBERS = schemas.RecentMembersSchema()
_LAST_MESSAGES = schemas.LastMessagesSchema()
_GUILD_REQUEST = schemas.GuildRequestSchema()
_SUBSCRIPTION = schemas.GuildSubscriptionSchema()
_MOBILE = ("ios", "android")
_SYSTEMS = {
    "windows": "windows",
    "mac": "osx",
    "osx": "osx",
    "linux": "linux",
    "android": "android",
    "ios": "ios",
}
"""The operating systems that sessions can show, by a part of the name that the client sends."""
_MIN_LARGE, _MAX_LARGE = 50, 250
"""The bounds of `large_threshold`. Rule: Discord docs, Gateway Events, "Identify". A value outside
is replaced by the bound, because clients send far larger ones to receive as many members as they
can."""


def parse(frame: str | bytes) -> Command:
    """Return the command in a text or binary frame. Raises CloseConnection."""
    data = frame.encode() if isinstance(frame, str) else frame
    if len(data) > MAX_PAYLOAD:
        raise CloseConnection(CloseCode.DECODE_ERROR, "Payload too large.")
    try:
        payload = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise CloseConnection(CloseCode.DECODE_ERROR, "Not JSON.") from None
    if not isinstance(payload, dict) or type(payload.get("op")) is not int:
        raise CloseConnection(CloseCode.DECODE_ERROR, "No opcode.")
    op = payload["op"]
    parse_data = _PARSERS.get(op)
    return IgnoredCommand(op) if parse_data is None else parse_data(payload.get("d"))


def _heartbeat(data: Any) -> Heartbeat:
    """Parse a heartbeat. Some user clients send the data of a QoS heartbeat in it."""
    if isinstance(data, dict):
        data = data.get("seq")
    if data is not None and type(data) is not int:
        raise CloseConnection(
            CloseCode.DECODE_ERROR, "A heartbeat contains a sequence number or null."
        )
    return Heartbeat(data)


def _qos_heartbeat(data: Any) -> Heartbeat:
    """Parse a heartbeat of Discord's own clients, which also reports how the client is used."""
    if not isinstance(data, dict):
        raise CloseConnection(CloseCode.DECODE_ERROR, "Invalid heartbeat.")
    return _heartbeat(data)


def _identify(data: Any) -> Identify:
    try:
        parsed = _IDENTIFY.read(data)
    except InvalidForm as error:
        raise _invalid_identify(error) from None
    intents = int(ALL_INTENTS) if parsed.intents is None else parsed.intents
    shard = parsed.shard or [0, 1]
    if intents & ~int(ALL_INTENTS) & ~WITHOUT_EVENTS:  # int(): ~ of a flag clears unknown bits
        raise CloseConnection(CloseCode.INVALID_INTENTS, "Invalid intents.")
    if not 0 <= shard[0] < shard[1]:
        raise CloseConnection(CloseCode.INVALID_SHARD, "Invalid shard.")
    properties = parsed.properties or {}
    return Identify(
        parsed.token,
        Intents(intents & ALL_INTENTS),
        min(max(parsed.large_threshold, _MIN_LARGE), _MAX_LARGE),
        (shard[0], shard[1]),
        Presence(_status(parsed.presence) or Status.ONLINE, _activities(parsed.presence)),
        _device_kind(properties.get("os"), properties.get("browser")),
        parsed.compress,
        _user_client(parsed),
        parsed.presence is not None
        and parsed.presence.status not in (None, schemas.UNKNOWN_STATUS),
    )


def _invalid_identify(error: InvalidForm) -> CloseConnection:
    """Return the error for an IDENTIFY with wrong fields: some have a close code of their own."""
    if "intents" in error.errors:
        return CloseConnection(CloseCode.INVALID_INTENTS, "Invalid intents.")
    if "shard" in error.errors:
        return CloseConnection(CloseCode.INVALID_SHARD, "Invalid shard.")
    return CloseConnection(CloseCode.DECODE_ERROR, "Invalid identify.")


def _user_client(parsed: IdentifyPayload) -> UserClient | None:
    if parsed.capabilities is None:
        return None
    words = (parsed.properties or {}).get("os", "").lower().split()
    os = next((name for word, name in _SYSTEMS.items() if words and word in words[0]), "unknown")
    return UserClient(Capabilities(parsed.capabilities & KNOWN), os)


def _device_kind(*names: object) -> str:
    """Return the kind of device. Rule: Discord docs, "Client Status Object"."""
    words = " ".join(each for each in names if isinstance(each, str)).lower()
    return "mobile" if any(word in words for word in _MOBILE) else "desktop"


def _update_presence(data: Any) -> UpdatePresence:
    try:
        parsed = _PRESENCE.read(data)
    except InvalidForm:
        raise CloseConnection(CloseCode.DECODE_ERROR, "Invalid presence.") from None
    return UpdatePresence(_status(parsed), _activities(parsed))


def _status(parsed: PresenceInput | None) -> Status | None:
    """Return the status; online by default, and None if the client does not know its status."""
    if parsed is None or parsed.status is None:
        return Status.ONLINE
    return None if parsed.status == schemas.UNKNOWN_STATUS else Status(parsed.status)


def _activities(parsed: PresenceInput | None) -> tuple[Activity, ...]:
    given = () if parsed is None else parsed.activities or ()
    now_ms = int(time.time() * 1000)
    return tuple({"created_at": now_ms, **each} for each in given)


def _request_members(data: Any) -> RequestMembers:
    try:
        parsed = _MEMBER_REQUEST.read(data)
    except InvalidForm:
        raise CloseConnection(CloseCode.DECODE_ERROR, "Invalid request for members.") from None
    if parsed.query == "" and parsed.user_ids is not None:
        parsed = replace(parsed, query=None)  # clients send an empty query with ids, too
    if (parsed.query is None) == (parsed.user_ids is None):
        raise CloseConnection(CloseCode.DECODE_ERROR, "Either query or user_ids is needed.")
    return RequestMembers(parsed)


def _request_sounds(data: Any) -> RequestSoundboardSounds:
    try:
        parsed = _SOUNDBOARD_REQUEST.read(data)
    except InvalidForm:
        raise CloseConnection(CloseCode.DECODE_ERROR, "Invalid guild_ids.") from None
    return RequestSoundboardSounds(tuple(parsed.guild_ids or ()))


def _search_recent(data: Any) -> SearchRecentMembers:
    try:
        return SearchRecentMembers(_RECENT_MEMBERS.read(data))
    except InvalidForm:
        raise CloseConnection(CloseCode.DECODE_ERROR, "Invalid request for members.") from None


def _request_last_messages(data: Any) -> RequestLastMessages:
    try:
        return RequestLastMessages(_LAST_MESSAGES.read(data))
    except InvalidForm:
        raise CloseConnection(CloseCode.DECODE_ERROR, "Invalid request for messages.") from None


def _request_info(event: str) -> Callable[[Any], RequestChannelInfo]:
    def parse(data: Any) -> RequestChannelInfo:
        try:
            return RequestChannelInfo(_GUILD_REQUEST.read(data).guild_id, event)
        except InvalidForm:
            raise CloseConnection(CloseCode.DECODE_ERROR, "Invalid request.") from None

    return parse


def _subscribe(data: Any) -> Subscribe:
    try:
        return Subscribe([_SUBSCRIPTION.read(data)])
    except InvalidForm:
        raise CloseConnection(CloseCode.DECODE_ERROR, "Invalid subscription.") from None


def _subscribe_in_bulk(data: Any) -> Subscribe:
    guilds = data.get("subscriptions") if isinstance(data, dict) else None
    if not isinstance(guilds, dict) or len(guilds) > schemas.MAX_REQUESTED_GUILDS:
        raise CloseConnection(CloseCode.DECODE_ERROR, "Invalid subscriptions.")
    try:
        return Subscribe(
            [
                _SUBSCRIPTION.read({**each, "guild_id": guild_id})
                for guild_id, each in guilds.items()
                if isinstance(each, dict)
            ]
        )
    except InvalidForm:
        raise CloseConnection(CloseCode.DECODE_ERROR, "Invalid subscriptions.") from None


def _resume(data: Any) -> Resume:
    try:
        parsed = _RESUME.read(data)
    except InvalidForm:
        raise CloseConnection(CloseCode.DECODE_ERROR, "Invalid resume.") from None
    return Resume(parsed.token, parsed.session_id, parsed.seq)


_PARSERS: dict[int, Callable[[Any], Command]] = {
    Opcode.HEARTBEAT: _heartbeat,
    Opcode.IDENTIFY: _identify,
    Opcode.PRESENCE_UPDATE: _update_presence,
    Opcode.RESUME: _resume,
    Opcode.REQUEST_GUILD_MEMBERS: _request_members,
    Opcode.REQUEST_SOUNDBOARD_SOUNDS: _request_sounds,
    Opcode.QOS_HEARTBEAT: _qos_heartbeat,
    Opcode.REQUEST_LAST_MESSAGES: _request_last_messages,
    Opcode.SEARCH_RECENT_MEMBERS: _search_recent,
    Opcode.REQUEST_CHANNEL_STATUSES: _request_info("CHANNEL_STATUSES"),
    Opcode.REQUEST_CHANNEL_INFO: _request_info("CHANNEL_INFO"),
    Opcode.GUILD_SUBSCRIPTIONS: _subscribe,
    Opcode.GUILD_SUBSCRIPTIONS_BULK: _subscribe_in_bulk,
}

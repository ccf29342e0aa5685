"""The settings of an account, as messages that clients write and read.

A client sends the top-level fields that it changes, each in whole. The server replaces these, keeps
all others byte by byte, and counts the changes in `versions`. Three fields of the privacy settings
have an effect on the server, which stores them elsewhere: they are replaced by `UserSettings`
whenever a client reads the message.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from chatd.core.ids import MAX_ID, GuildId
from chatd.core.json import JsonObject
from chatd.core.relationships import FriendSources, UserSettings
from chatd.wire.protobuf.encoding import (
    LEN,
    Budget,
    Field,
    MalformedMessage,
    encode,
    field,
    read_fields,
)
from chatd.wire.protobuf.frecency import FRECENCY_SETTINGS, VERSIONS
from chatd.wire.protobuf.messages import Message
from chatd.wire.protobuf.preloaded import (
    APPEARANCE,
    GAME_LIBRARY,
    GUILD_FOLDERS,
    LOCALIZATION,
    PRELOADED_SETTINGS,
    STATUS,
    VOICE_AND_VIDEO,
)
from chatd.wire.protobuf.preloaded_preferences import PRIVACY, TEXT_AND_IMAGES

MAX_BYTES = 2**18
"""Of one message. Discord accepts 5 MiB of Base64; 1,000 favorite GIFs take 130 kB."""

MAX_VALUES = 2**14
"""Of one message. Reading them takes about 30 ms."""

MAX_FIELDS = 2**8
"""Fields at the top level of one message. Discord has about 30; each reader separates them."""

MAX_SHOWN = 2**12
"""Values in the parts that the older JSON shows. READY and each change decode them, in 8 ms."""

SHOWN_PARTS: Mapping[str, Message] = {
    "voice_and_video": VOICE_AND_VIDEO,
    "text_and_images": TEXT_AND_IMAGES,
    "privacy": PRIVACY,
    "game_library": GAME_LIBRARY,
    "status": STATUS,
    "localization": LOCALIZATION,
    "appearance": APPEARANCE,
    "guild_folders": GUILD_FOLDERS,
}
"""The top-level fields of the preloaded settings that the older JSON shows."""

_SHOWN = {PRELOADED_SETTINGS.numbers[name]: message for name, message in SHOWN_PARTS.items()}
_VERSIONS = 1
_PRIVACY = PRELOADED_SETTINGS.numbers["privacy"]
_RESTRICTED = PRIVACY.numbers["restricted_guild_ids"]
_DEFAULT_RESTRICTED = PRIVACY.numbers["default_guilds_restricted"]
_SOURCES = PRIVACY.numbers["friend_source_flags"]

_SOURCE_BITS = {
    FriendSources.MUTUAL_FRIENDS: 1 << 1,
    FriendSources.MUTUAL_GUILDS: 1 << 2,
    FriendSources.ALL: 1 << 3,
}


class SettingsType(IntEnum):
    """The two messages. The values are those of Discord's API for user accounts."""

    PRELOADED = 1
    FRECENCY = 2

    @property
    def message(self) -> Message:
        """The description of the message."""
        return PRELOADED_SETTINGS if self is SettingsType.PRELOADED else FRECENCY_SETTINGS


@dataclass(frozen=True, slots=True)
class PrivacyChange:
    """What a client has written into the privacy settings. None means that it stays."""

    restricted_guilds: tuple[GuildId, ...]
    default_guilds_restricted: bool
    friend_sources: FriendSources | None


def check(kind: SettingsType, data: bytes) -> None:
    """Check that bytes are such a message, and not too large a one. Raises MalformedMessage."""
    if len(data) > MAX_BYTES:
        raise MalformedMessage(f"more than {MAX_BYTES} bytes")
    kind.message.check(data, Budget(MAX_VALUES))
    fields = _read(data)
    if len(fields) > MAX_FIELDS:
        raise MalformedMessage("too many fields")
    budget = Budget(MAX_SHOWN)
    for number, _, value in fields if kind is SettingsType.PRELOADED else ():
        if number in _SHOWN and isinstance(value, bytes):
            _SHOWN[number].check(value, budget)


def from_json(kind: SettingsType, value: JsonObject) -> bytes:
    """Return the message of this JSON. Raises MalformedMessage."""
    return kind.message.encode(value, Budget(MAX_VALUES))


def to_json(kind: SettingsType, data: bytes) -> JsonObject:
    """Return a message as JSON. Raises MalformedMessage."""
    return kind.message.decode(data)


def merge(kind: SettingsType, stored: bytes, change: bytes, *, data_version: int) -> bytes:
    """Replace the top-level fields of a message that a change contains. Raises MalformedMessage."""
    before, changed = _read(stored), _read(change)
    replaced = {number for number, _, _ in changed}
    after = [each for each in before if each[0] not in replaced] + changed
    client_version = 0
    for number, wire_type, value in after:
        if (number, wire_type) == (_VERSIONS, LEN):
            client_version = VERSIONS.decode(value)["clientVersion"]
    merged = _versions(client_version, data_version)
    merged += encode([each for each in after if each[0] != _VERSIONS])
    check(kind, merged)
    return merged


def empty(data_version: int = 0) -> bytes:
    """Return the message of an account that has changed nothing."""
    return _versions(0, data_version)


def privacy_of(change: bytes) -> PrivacyChange | None:
    """Return the privacy settings in a change of the preloaded settings; None if it has none.

    Raises MalformedMessage.
    """
    parts = _privacy_parts(_read(change))
    if not parts:
        return None
    privacy = PRIVACY.decode(b"".join(parts))
    guilds = [int(each) for each in privacy["restrictedGuildIds"]]
    bits = privacy.get("friendSourceFlags")
    return PrivacyChange(
        tuple(GuildId(each) for each in sorted(set(guilds)) if each <= MAX_ID),
        privacy["defaultGuildsRestricted"],
        None if bits is None else _sources(bits),
    )


def with_privacy(data: bytes, settings: UserSettings) -> bytes:
    """Return the preloaded settings with the privacy settings that the server stores elsewhere."""
    fields = _read(data)
    privacy = b"".join(_privacy_parts(fields))
    effective = (_RESTRICTED, _DEFAULT_RESTRICTED, _SOURCES)
    others = [each for each in _read(privacy) if each[0] not in effective]
    shown = PRIVACY.encode(
        {
            "restricted_guild_ids": [str(each) for each in settings.restricted_guilds],
            "default_guilds_restricted": settings.default_guilds_restricted,
            "friend_source_flags": _bits(settings.friend_sources),
        },
        Budget(MAX_VALUES),
    )
    kept = [each for each in fields if each[0] != _PRIVACY]
    return encode(kept) + field(_PRIVACY, LEN, shown + encode(others))


def _privacy_parts(fields: list[Field]) -> list[bytes]:
    return [
        value
        for number, wire_type, value in fields
        if (number, wire_type) == (_PRIVACY, LEN) and isinstance(value, bytes)
    ]


def _read(data: bytes) -> list[Field]:
    return read_fields(data, Budget(MAX_VALUES))


def _versions(client_version: int, data_version: int) -> bytes:
    shown = {"client_version": client_version, "data_version": data_version}
    return field(_VERSIONS, LEN, VERSIONS.encode(shown, Budget(MAX_VALUES)))


def _bits(sources: FriendSources) -> int:
    return sum(bit for source, bit in _SOURCE_BITS.items() if source in sources)


def _sources(bits: int) -> FriendSources:
    found = FriendSources(0)
    for source, bit in _SOURCE_BITS.items():
        if bits & bit:
            found |= source
    return found

"""Events: dispatches before a session numbers them, and their audiences."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import Any

import orjson

from chatd.core.ids import ChannelId, GuildId, StreamId, UserId
from chatd.core.intents import NO_INTENT, Intents
from chatd.core.models import MessageLocation
from chatd.core.permissions import NONE, Permissions
from chatd.core.records import record
from chatd.wire import payloads


class AudienceKind(StrEnum):
    GUILD = "guild"
    CHANNEL = "channel"
    USER = "user"


@record(frozen=True, slots=True)
class Audience:
    """The recipients of an event: members with the permissions `needed` in a guild or a channel, or
    all sessions of one user."""

    kind: AudienceKind
    id: int
    needed: Permissions = Permissions.VIEW_CHANNEL


def to_guild(guild_id: GuildId, needed: Permissions = NONE) -> Audience:
    """Address the members of a guild that have all of `needed`; every member by default."""
    return Audience(AudienceKind.GUILD, guild_id, needed)


@lru_cache(1024)
def to_channel(channel_id: ChannelId, needed: Permissions = Permissions.VIEW_CHANNEL) -> Audience:
    """Address the members of a guild that have all of `needed` in one of its channels."""
    return Audience(AudienceKind.CHANNEL, channel_id, needed)


def to_user(user_id: UserId) -> Audience:
    """Address every session of a user."""
    return Audience(AudienceKind.USER, user_id)


@record(frozen=True, slots=True)
class Event:
    """A dispatch before a session numbers it. All recipients share it, so it is immutable.

    `seq` is its number in `stream`, assigned when its transaction commits. Events with `seq` 0,
    such as typing, are not part of the sequence.
    """

    name: str
    stream: StreamId
    audience: Audience
    body: bytes
    intent: Intents = NO_INTENT
    seq: int = 0

    def __repr__(self) -> str:
        """Return a text without the body, which may contain what users wrote."""
        return f"Event({self.name!r}, stream={self.stream}, seq={self.seq}, {self.audience})"

    def numbered(self, seq: int) -> Event:
        """Return the event with its number in the stream."""
        return Event(self.name, self.stream, self.audience, self.body, self.intent, seq)

    def head(self) -> bytes:
        """Encode all fields but the body, for other instances."""
        audience = self.audience
        end = _head_end(int(self.intent), audience.kind, audience.id, int(audience.needed))
        return b'["%b",%d,%d,%b' % (self.name.encode(), self.stream, self.seq, end)

    @classmethod
    def read(cls, head: bytes, body: bytes) -> Event:
        """Decode the result of `head()` and a body. Raises ValueError when it is malformed."""
        try:
            name, stream, seq, intent, kind, audience_id, needed = orjson.loads(head)
            audience = Audience(AudienceKind(kind), int(audience_id), Permissions(needed))
            return cls(str(name), StreamId(stream), audience, body, Intents(intent), int(seq))
        except TypeError as wrong:
            raise ValueError("not the head of an event") from wrong


@lru_cache(4096)
def _head_end(intent: int, kind: AudienceKind, audience_id: int, needed: int) -> bytes:
    """Return the fields of a head that are the same for many events, as the end of an array."""
    return orjson.dumps([intent, kind, audience_id, needed])[1:]


def at_location(
    name: str,
    location: MessageLocation,
    payload: dict[str, Any],
    *,
    in_guild: Intents,
    in_private: Intents,
) -> list[Event]:
    """Return the events for a dispatch about a channel, to all users that can see it.

    In a guild, it is one event of the guild's stream. In a private channel, it is one event in the
    stream of each recipient. So sessions need no feed for each private channel. Adds the ids of the
    location to the payload.
    """
    payload["channel_id"] = str(location.channel_id)
    if location.guild_id is not None:
        payload["guild_id"] = str(location.guild_id)
        body = payloads.encode(payload)
        stream = StreamId(location.guild_id)
        return [Event(name, stream, to_channel(location.channel_id), body, in_guild)]
    body = payloads.encode(payload)
    return [
        Event(name, StreamId(user_id), to_user(user_id), body, in_private)
        for user_id in location.recipients
    ]

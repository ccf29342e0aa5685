"""Event: a dispatch that no session has yet numbered, and Audience: who it is for."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import orjson

from chatd.core.ids import ChannelId, GuildId, StreamId, UserId
from chatd.core.intents import NO_INTENT, Intents
from chatd.core.models import Place
from chatd.core.permissions import NONE, Permissions
from chatd.wire import payloads


class AudienceKind(StrEnum):
    GUILD = "guild"
    CHANNEL = "channel"
    USER = "user"


@dataclass(frozen=True, slots=True)
class Audience:
    """Who an event is for: the members of a guild or a channel who have `needed` there, or the
    sessions of one user."""

    kind: AudienceKind
    id: int
    needed: Permissions = Permissions.VIEW_CHANNEL


def to_guild(guild_id: GuildId, needed: Permissions = NONE) -> Audience:
    """The members of a guild who have all of `needed`; without, every member."""
    return Audience(AudienceKind.GUILD, guild_id, needed)


def to_channel(channel_id: ChannelId, needed: Permissions = Permissions.VIEW_CHANNEL) -> Audience:
    """The members of a guild who have all of `needed` in one of its channels."""
    return Audience(AudienceKind.CHANNEL, channel_id, needed)


def to_user(user_id: UserId) -> Audience:
    """Every session of a user."""
    return Audience(AudienceKind.USER, user_id)


@dataclass(frozen=True, slots=True)
class Event:
    """A dispatch on its way. Shared by all who get it, so never changed.

    `seq` is its place in the order of `stream`, given when the transaction that caused it
    commits; an event of seq 0 stands outside of that order.
    """

    name: str
    stream: StreamId
    audience: Audience
    body: bytes = field(repr=False)
    intent: Intents = NO_INTENT
    seq: int = 0

    def numbered(self, seq: int) -> Event:
        """The same event, at its place in the order of its stream."""
        return Event(self.name, self.stream, self.audience, self.body, self.intent, seq)

    def head(self) -> bytes:
        """All but the body, for the way to other instances."""
        audience = self.audience
        return orjson.dumps(
            [
                self.name,
                self.stream,
                self.seq,
                int(self.intent),
                audience.kind,
                audience.id,
                int(audience.needed),
            ]
        )

    @classmethod
    def read(cls, head: bytes, body: bytes) -> Event:
        """The event that `head()` and its body stand for. Raises ValueError for all else."""
        try:
            name, stream, seq, intent, kind, audience_id, needed = orjson.loads(head)
            audience = Audience(AudienceKind(kind), int(audience_id), Permissions(needed))
            return cls(str(name), StreamId(stream), audience, body, Intents(intent), int(seq))
        except TypeError as wrong:
            raise ValueError("not the head of an event") from wrong


def at_place(
    name: str,
    place: Place,
    payload: dict[str, Any],
    *,
    in_guild: Intents,
    in_private: Intents,
) -> list[Event]:
    """What happens in a channel, for all who may see it.

    In a guild it is one event in the guild's order. In a private channel each who is there gets
    it in the order of its own events: so nobody needs to follow a stream for every private
    channel. The payload is completed with the ids of the place.
    """
    payload["channel_id"] = str(place.channel_id)
    if place.guild_id is not None:
        payload["guild_id"] = str(place.guild_id)
        body = payloads.encode(payload)
        stream = StreamId(place.guild_id)
        return [Event(name, stream, to_channel(place.channel_id), body, in_guild)]
    body = payloads.encode(payload)
    return [
        Event(name, StreamId(user_id), to_user(user_id), body, in_private)
        for user_id in place.recipients
    ]

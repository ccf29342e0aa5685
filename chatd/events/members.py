"""Dispatches about members, to the other members of the guild."""

from __future__ import annotations

from chatd.core.ids import GuildId, StreamId
from chatd.core.intents import Intents
from chatd.core.models import Member, User
from chatd.events.event import Event, to_guild
from chatd.wire import payloads


def member_added(member: Member) -> Event:
    """GUILD_MEMBER_ADD."""
    return _about("GUILD_MEMBER_ADD", member)


def member_updated(member: Member) -> Event:
    """GUILD_MEMBER_UPDATE, also when what changed is the user behind the member."""
    return _about("GUILD_MEMBER_UPDATE", member)


def member_removed(guild_id: GuildId, user: User) -> Event:
    """GUILD_MEMBER_REMOVE; the member itself is told by a GUILD_DELETE."""
    body = payloads.encode({"guild_id": str(guild_id), "user": payloads.user(user)})
    return Event(
        "GUILD_MEMBER_REMOVE",
        StreamId(guild_id),
        to_guild(guild_id),
        body,
        Intents.GUILD_MEMBERS,
    )


def _about(name: str, member: Member) -> Event:
    body = payloads.encode({"guild_id": str(member.guild_id), **payloads.member(member)})
    stream = StreamId(member.guild_id)
    return Event(name, stream, to_guild(member.guild_id), body, Intents.GUILD_MEMBERS)

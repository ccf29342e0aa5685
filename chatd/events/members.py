"""Dispatches about members, to the other members of the guild."""

from __future__ import annotations

from chatd.core.ids import GuildId, StreamId, UserId
from chatd.core.intents import Intents
from chatd.core.json import JsonObject
from chatd.core.models import Member, User
from chatd.events.event import Event, to_guild, to_user
from chatd.wire import payloads


def member_added(member: Member) -> Event:
    """GUILD_MEMBER_ADD."""
    return _about("GUILD_MEMBER_ADD", member)


def member_updated(member: Member) -> Event:
    """GUILD_MEMBER_UPDATE, also for changes of the member's user."""
    return _about("GUILD_MEMBER_UPDATE", member)


def member_removed(guild_id: GuildId, user: User) -> Event:
    """GUILD_MEMBER_REMOVE. The removed user gets GUILD_DELETE instead."""
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


def members_chunk(user_id: UserId, payload: JsonObject) -> Event:
    """GUILD_MEMBERS_CHUNK, to the session that requested it."""
    return _answer("GUILD_MEMBERS_CHUNK", user_id, payload)


def member_list_updated(guild_id: GuildId, body: bytes) -> Event:
    """GUILD_MEMBER_LIST_UPDATE, to the sessions that requested a list."""
    return Event("GUILD_MEMBER_LIST_UPDATE", StreamId(guild_id), to_guild(guild_id), body)


def no_voice_channels(user_id: UserId, guild_id: GuildId, name: str) -> Event:
    """CHANNEL_STATUSES or CHANNEL_INFO, to the session that requested it."""
    return _answer(name, user_id, {"guild_id": str(guild_id), "channels": []})


def soundboard(user_id: UserId, guild_id: GuildId) -> Event:
    """SOUNDBOARD_SOUNDS, to the session that requested it. Guilds have no sounds here."""
    payload = {"guild_id": str(guild_id), "soundboard_sounds": []}
    return _answer("SOUNDBOARD_SOUNDS", user_id, payload)


def _answer(name: str, user_id: UserId, payload: JsonObject) -> Event:
    return Event(name, StreamId(user_id), to_user(user_id), payloads.encode(payload))

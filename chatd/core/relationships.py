"""Relationships between people, and the settings that restrict who may contact a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, IntFlag

from chatd.core.ids import GuildId
from chatd.core.models import User


class RelationshipType(IntEnum):
    """Kinds of relationships. The values are those of Discord's API for user accounts."""

    FRIEND = 1
    BLOCKED = 2
    INCOMING_REQUEST = 3
    OUTGOING_REQUEST = 4


@dataclass(frozen=True, slots=True)
class Relationship:
    """A relationship of a person to another `user`."""

    user: User
    type: RelationshipType
    nickname: str | None
    """The person's own name for a friend, not visible to others."""
    since: datetime
    bio: str = ""
    """What the user says about itself; empty unless the person may see its profile by this
    relationship."""


class DirectMessages(IntEnum):
    """The senders from which a person accepts direct messages and invitations to groups."""

    GUILDS = 0
    """Friends, and members of shared guilds that the person has not restricted."""
    FRIENDS = 1
    NOBODY = 2


class FriendSources(IntFlag):
    """The senders from which a person accepts friend requests."""

    ALL = 1
    MUTUAL_FRIENDS = 2
    MUTUAL_GUILDS = 4


@dataclass(frozen=True, slots=True)
class UserSettings:
    """The settings of a person's account that have an effect on the server."""

    direct_messages: DirectMessages = DirectMessages.GUILDS
    friend_sources: FriendSources = (
        FriendSources.ALL | FriendSources.MUTUAL_FRIENDS | FriendSources.MUTUAL_GUILDS
    )
    default_guilds_restricted: bool = False
    """Whether guilds that the person joins are restricted from the start."""
    restricted_guilds: tuple[GuildId, ...] = ()
    """Guilds whose members may not send direct messages to the person, unless they are friends."""


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """All settings of a person's account."""

    effective: UserSettings
    """The settings that have an effect on the server."""
    preloaded: bytes
    """All others, as a message of Protocol Buffers, which may be empty."""

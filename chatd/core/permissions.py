"""Permission bits, and how roles and overwrites combine.

Rule: Discord docs, Permissions, "Permission Hierarchy" and "Permission Overwrites".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import IntFlag

from chatd.core.ids import GuildId, RoleId, UserId
from chatd.core.overwrites import Overwrite, OverwriteType


class Permissions(IntFlag):
    """Permissions of a member, one bit each. Bits and names are Discord's."""

    CREATE_INSTANT_INVITE = 1 << 0
    KICK_MEMBERS = 1 << 1
    BAN_MEMBERS = 1 << 2
    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    ADD_REACTIONS = 1 << 6
    VIEW_AUDIT_LOG = 1 << 7
    PRIORITY_SPEAKER = 1 << 8
    STREAM = 1 << 9
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    SEND_TTS_MESSAGES = 1 << 12
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    USE_EXTERNAL_EMOJIS = 1 << 18
    VIEW_GUILD_INSIGHTS = 1 << 19
    CONNECT = 1 << 20
    SPEAK = 1 << 21
    MUTE_MEMBERS = 1 << 22
    DEAFEN_MEMBERS = 1 << 23
    MOVE_MEMBERS = 1 << 24
    USE_VAD = 1 << 25
    CHANGE_NICKNAME = 1 << 26
    MANAGE_NICKNAMES = 1 << 27
    MANAGE_ROLES = 1 << 28
    MANAGE_WEBHOOKS = 1 << 29
    MANAGE_GUILD_EXPRESSIONS = 1 << 30
    USE_APPLICATION_COMMANDS = 1 << 31
    REQUEST_TO_SPEAK = 1 << 32
    MANAGE_EVENTS = 1 << 33
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    CREATE_PRIVATE_THREADS = 1 << 36
    USE_EXTERNAL_STICKERS = 1 << 37
    SEND_MESSAGES_IN_THREADS = 1 << 38
    USE_EMBEDDED_ACTIVITIES = 1 << 39
    MODERATE_MEMBERS = 1 << 40
    VIEW_CREATOR_MONETIZATION_ANALYTICS = 1 << 41
    USE_SOUNDBOARD = 1 << 42
    CREATE_GUILD_EXPRESSIONS = 1 << 43
    CREATE_EVENTS = 1 << 44
    USE_EXTERNAL_SOUNDS = 1 << 45
    SEND_VOICE_MESSAGES = 1 << 46
    SET_VOICE_CHANNEL_STATUS = 1 << 48
    SEND_POLLS = 1 << 49
    USE_EXTERNAL_APPS = 1 << 50
    PIN_MESSAGES = 1 << 51
    BYPASS_SLOWMODE = 1 << 52


_P = Permissions

NONE = Permissions(0)
ALL = Permissions(sum(Permissions))
TIMED_OUT = _P.VIEW_CHANNEL | _P.READ_MESSAGE_HISTORY
"""The permissions that a timed-out member can keep."""

EVERYONE = (
    _P.CREATE_INSTANT_INVITE
    | _P.ADD_REACTIONS
    | _P.STREAM
    | _P.VIEW_CHANNEL
    | _P.SEND_MESSAGES
    | _P.EMBED_LINKS
    | _P.ATTACH_FILES
    | _P.READ_MESSAGE_HISTORY
    | _P.MENTION_EVERYONE
    | _P.USE_EXTERNAL_EMOJIS
    | _P.CONNECT
    | _P.SPEAK
    | _P.USE_VAD
    | _P.CHANGE_NICKNAME
    | _P.USE_APPLICATION_COMMANDS
    | _P.REQUEST_TO_SPEAK
    | _P.CREATE_PUBLIC_THREADS
    | _P.CREATE_PRIVATE_THREADS
    | _P.USE_EXTERNAL_STICKERS
    | _P.SEND_MESSAGES_IN_THREADS
    | _P.USE_EMBEDDED_ACTIVITIES
    | _P.USE_SOUNDBOARD
    | _P.USE_EXTERNAL_SOUNDS
    | _P.SEND_VOICE_MESSAGES
    | _P.SEND_POLLS
    | _P.USE_EXTERNAL_APPS
)
"""The permissions of @everyone in a new guild."""


IN_DM = (
    _P.ADD_REACTIONS
    | _P.VIEW_CHANNEL
    | _P.SEND_MESSAGES
    | _P.SEND_TTS_MESSAGES
    | _P.EMBED_LINKS
    | _P.ATTACH_FILES
    | _P.READ_MESSAGE_HISTORY
    | _P.USE_EXTERNAL_EMOJIS
    | _P.PIN_MESSAGES
    | _P.BYPASS_SLOWMODE
)
"""The permissions of each recipient of a DM or a group DM."""


OF_WEBHOOKS = (
    _P.VIEW_CHANNEL
    | _P.SEND_MESSAGES
    | _P.SEND_TTS_MESSAGES
    | _P.EMBED_LINKS
    | _P.ATTACH_FILES
    | _P.READ_MESSAGE_HISTORY
    | _P.USE_EXTERNAL_EMOJIS
    | _P.BYPASS_SLOWMODE
)
"""The permissions of a webhook in its channel. It has MENTION_EVERYONE if @everyone has it."""

READ_ONLY_IN_DM = _P.VIEW_CHANNEL | _P.READ_MESSAGE_HISTORY
"""The permissions in a DM whose other recipient does not accept messages."""


ELEVATED = (
    _P.KICK_MEMBERS
    | _P.BAN_MEMBERS
    | _P.ADMINISTRATOR
    | _P.MANAGE_CHANNELS
    | _P.MANAGE_GUILD
    | _P.MANAGE_MESSAGES
    | _P.MANAGE_ROLES
    | _P.MANAGE_WEBHOOKS
    | _P.MANAGE_GUILD_EXPRESSIONS
    | _P.MANAGE_THREADS
    | _P.MODERATE_MEMBERS
    | _P.VIEW_CREATOR_MONETIZATION_ANALYTICS
)
"""The permissions that need a second factor in guilds with an MFA level.

Rule: Discord docs, Permissions, the bits with an asterisk; and timeouts, which are moderation too.
"""


OF_GUILDS = (
    _P.KICK_MEMBERS
    | _P.BAN_MEMBERS
    | _P.ADMINISTRATOR
    | _P.MANAGE_GUILD
    | _P.VIEW_AUDIT_LOG
    | _P.VIEW_GUILD_INSIGHTS
    | _P.CHANGE_NICKNAME
    | _P.MANAGE_NICKNAMES
    | _P.MANAGE_GUILD_EXPRESSIONS
    | _P.MODERATE_MEMBERS
    | _P.VIEW_CREATOR_MONETIZATION_ANALYTICS
    | _P.CREATE_GUILD_EXPRESSIONS
)
"""Permissions of the guild as a whole. Overwrites of channels do not affect them."""

_NEEDS_SEND_MESSAGES = _P.MENTION_EVERYONE | _P.SEND_TTS_MESSAGES | _P.ATTACH_FILES | _P.EMBED_LINKS
"""Permissions that have no effect without SEND_MESSAGES."""

_ADMINISTRATOR = int(_P.ADMINISTRATOR)
_VIEW_CHANNEL = int(_P.VIEW_CHANNEL)
_SEND_MESSAGES = int(_P.SEND_MESSAGES)
_WITHOUT_SEND_MESSAGES = ~int(_NEEDS_SEND_MESSAGES)
_GRANTED_BY_OVERWRITES = int(ALL) & ~_ADMINISTRATOR
"""As integers, whose operators are ten times as fast as those of flags."""


def has_all(granted: Permissions, needed: Permissions) -> bool:
    """Return whether all of `needed` are granted.

    It compares integers, because each operator of IntFlag creates a flag, which costs ten times as
    much.
    """
    return int.__and__(granted, needed) == needed


def in_guild(*, is_owner: bool, roles: Iterable[int]) -> Permissions:
    """Return the base permissions of a member. `roles` are those of its roles and of @everyone."""
    if is_owner:
        return ALL
    granted = 0  # integers, as in `has_all`
    for role in roles:
        granted |= int(role)
    return ALL if granted & _ADMINISTRATOR else Permissions(granted)


def in_channel(
    granted: Permissions,
    overwrites: Iterable[Overwrite],
    *,
    guild_id: GuildId,
    user_id: UserId,
    roles: Collection[RoleId],
) -> Permissions:
    """Return the permissions of a member in a channel: `granted`, changed by the overwrites.

    The overwrite of @everyone is applied first, then all denials and then all grants of the
    member's roles, then the member's own. Without VIEW_CHANNEL there are no permissions.
    ADMINISTRATOR cannot be granted by an overwrite: such a member could not be timed out.
    """
    found = int(granted)  # integers, as in `has_all`
    if found & _ADMINISTRATOR:
        return granted
    deny = allow = 0
    own: Overwrite | None = None
    for overwrite in overwrites:
        if overwrite.type == OverwriteType.MEMBER:
            if overwrite.target_id == user_id:
                own = overwrite
        elif overwrite.target_id == guild_id:
            found = found & ~overwrite.deny | overwrite.allow
        elif overwrite.target_id in roles:
            deny |= overwrite.deny
            allow |= overwrite.allow
    found = found & ~deny | allow
    if own is not None:
        found = found & ~own.deny | own.allow
    if not found & _VIEW_CHANNEL:
        return NONE
    if not found & _SEND_MESSAGES:
        found &= _WITHOUT_SEND_MESSAGES
    return Permissions(found & _GRANTED_BY_OVERWRITES)


def while_timed_out(granted: Permissions) -> Permissions:
    """Return the permissions of a member during a timeout. Administrators cannot be timed out."""
    return granted if has_all(granted, Permissions.ADMINISTRATOR) else granted & TIMED_OUT

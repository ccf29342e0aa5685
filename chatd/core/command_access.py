"""Who may use an application command: how overwrites and default permissions combine.

Rule: Discord docs, "Application Commands", "Permissions", in the order in which Discord's own
client evaluates them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from chatd.core.commands import Command, CommandOverwrite, PermissionTarget
from chatd.core.ids import ChannelId, GuildId, RoleId, UserId
from chatd.core.permissions import Permissions

NEEDED = Permissions.USE_APPLICATION_COMMANDS
"""Members without it can use no commands."""


@dataclass(frozen=True, slots=True)
class CommandUser:
    """A member that wants to use commands."""

    guild_id: GuildId
    user_id: UserId
    roles: Collection[RoleId]
    """Its roles, without @everyone."""
    permissions: Permissions
    """Those in the channel; where no channel is known, those in the guild."""
    channel_id: ChannelId | None = None
    """The channel; None asks for use in any channel."""


def may_use(
    command: Command,
    user: CommandUser,
    *,
    of_command: Iterable[CommandOverwrite] = (),
    of_application: Iterable[CommandOverwrite] = (),
) -> bool:
    """Return whether a member may use a command in a guild.

    Administrators may use all commands. For others:

    - The channel must not be denied. An overwrite of the command for the channel counts before one
      for all channels, and both count before the overwrites of the application.
    - An overwrite of the command for the user decides, then those for its roles (one that allows is
      sufficient), then the one for @everyone.
    - Without such an overwrite, the overwrites of the application must not deny, and the member
      needs the default permissions of the command.
    """
    if user.permissions & Permissions.ADMINISTRATOR:
        return True
    if not user.permissions & NEEDED:
        return False
    of_command, of_application = tuple(of_command), tuple(of_application)
    if user.channel_id is not None and not _channel_allowed(user, of_command, of_application):
        return False
    if (decided := _decision_for_user(user, of_command)) is not None:
        return decided
    if _decision_for_user(user, of_application) is False:
        return False
    return has_default_permissions(command, user.permissions)


def has_default_permissions(command: Command, granted: Permissions) -> bool:
    """Return whether these permissions include the default permissions of a command.

    0 is for administrators only, and so are bits that no permission has.
    """
    needed = command.default_member_permissions
    return needed is None or (needed != 0 and not needed & ~int(granted))


def all_channels(guild_id: GuildId) -> int:
    """Return the id that means all channels of a guild in overwrites."""
    return guild_id - 1


def _channel_allowed(
    user: CommandUser,
    of_command: tuple[CommandOverwrite, ...],
    of_application: tuple[CommandOverwrite, ...],
) -> bool:
    decided = _decision_for_channel(user, of_command)
    if decided is None:
        decided = _decision_for_channel(user, of_application)
    return decided is not False


def _decision_for_channel(
    user: CommandUser, overwrites: tuple[CommandOverwrite, ...]
) -> bool | None:
    by_id = {
        each.target_id: each.permission
        for each in overwrites
        if each.type == PermissionTarget.CHANNEL
    }
    assert user.channel_id is not None
    return by_id.get(user.channel_id, by_id.get(all_channels(user.guild_id)))


def _decision_for_user(user: CommandUser, overwrites: tuple[CommandOverwrite, ...]) -> bool | None:
    everyone: bool | None = None
    of_roles: bool | None = None
    for each in overwrites:
        if each.type == PermissionTarget.USER:
            if each.target_id == user.user_id:
                return each.permission
        elif each.type == PermissionTarget.ROLE:
            if each.target_id == user.guild_id:
                everyone = each.permission
            elif each.target_id in user.roles:
                of_roles = bool(of_roles) or each.permission
    return everyone if of_roles is None else of_roles

"""Who may use a command: the rules one by one, and laws for all combinations of overwrites."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from chatd.core.command_access import CommandUser, may_use
from chatd.core.commands import (
    Command,
    CommandOverwrite,
    InteractionContext,
    PermissionTarget,
)
from chatd.core.ids import ChannelId, GuildId, RoleId, UserId
from chatd.core.installation import IntegrationType
from chatd.core.permissions import NONE, Permissions
from tests.core.commands import COMMAND

GUILD, USER, CHANNEL = GuildId(100), UserId(1), ChannelId(110)
ROLES = (RoleId(101), RoleId(102))
USE = Permissions.USE_APPLICATION_COMMANDS
MEMBER = CommandUser(GUILD, USER, ROLES, USE, CHANNEL)


def needing(bits: int) -> Command:
    return replace(COMMAND, default_member_permissions=bits)


def role(target: int, permission: bool) -> CommandOverwrite:
    return CommandOverwrite(target, PermissionTarget.ROLE, permission)


def user(target: int, permission: bool) -> CommandOverwrite:
    return CommandOverwrite(target, PermissionTarget.USER, permission)


def channel(target: int, permission: bool) -> CommandOverwrite:
    return CommandOverwrite(target, PermissionTarget.CHANNEL, permission)


def test_members_may_use_commands_without_default_permissions() -> None:
    assert may_use(COMMAND, MEMBER)
    assert not may_use(COMMAND, replace(MEMBER, permissions=NONE))


def test_default_permissions_need_all_of_their_bits() -> None:
    both = Permissions.BAN_MEMBERS | Permissions.KICK_MEMBERS
    command = needing(int(both))
    assert may_use(command, replace(MEMBER, permissions=USE | both))
    assert not may_use(command, replace(MEMBER, permissions=USE | Permissions.BAN_MEMBERS))


def test_zero_and_unknown_bits_are_for_administrators() -> None:
    everything = Permissions(sum(Permissions)) & ~Permissions.ADMINISTRATOR
    for bits in (0, 1 << 53):
        assert not may_use(needing(bits), replace(MEMBER, permissions=everything))
        assert may_use(needing(bits), replace(MEMBER, permissions=Permissions.ADMINISTRATOR))


def test_overwrite_of_the_user_counts_before_those_of_its_roles() -> None:
    for permission in (True, False):
        overwrites = [role(101, not permission), role(GUILD, not permission), user(1, permission)]
        assert may_use(needing(0), MEMBER, of_command=overwrites) is permission


def test_one_role_that_allows_is_sufficient() -> None:
    overwrites = [role(101, False), role(102, True), role(GUILD, False)]
    assert may_use(needing(0), MEMBER, of_command=overwrites)
    assert not may_use(COMMAND, MEMBER, of_command=[role(101, False), role(GUILD, True)])


def test_everyone_counts_for_members_without_another_overwrite() -> None:
    assert may_use(needing(0), MEMBER, of_command=[role(GUILD, True)])
    assert not may_use(COMMAND, MEMBER, of_command=[role(GUILD, False), role(999, True)])


def test_overwrites_of_the_application_deny_but_do_not_replace_default_permissions() -> None:
    assert not may_use(COMMAND, MEMBER, of_application=[role(GUILD, False)])
    assert not may_use(needing(0), MEMBER, of_application=[role(GUILD, True)])
    overwrites = [role(GUILD, True)]
    assert may_use(COMMAND, MEMBER, of_command=overwrites, of_application=[role(GUILD, False)])


def test_channel_of_the_command_counts_before_all_channels_and_the_application() -> None:
    everywhere = GUILD - 1
    assert not may_use(COMMAND, MEMBER, of_command=[channel(everywhere, False)])
    overwrites = [channel(everywhere, False), channel(CHANNEL, True)]
    assert may_use(COMMAND, MEMBER, of_command=overwrites)
    denied = [channel(CHANNEL, False)]
    assert not may_use(COMMAND, MEMBER, of_application=denied)
    assert may_use(COMMAND, MEMBER, of_command=[channel(everywhere, True)], of_application=denied)


def test_denied_channel_counts_before_the_user() -> None:
    overwrites = [channel(CHANNEL, False), user(1, True)]
    assert not may_use(COMMAND, MEMBER, of_command=overwrites)
    assert may_use(COMMAND, replace(MEMBER, channel_id=None), of_command=overwrites)


OVERWRITES = st.lists(
    st.builds(
        CommandOverwrite,
        st.sampled_from([GUILD, *ROLES, USER, UserId(2), CHANNEL, ChannelId(111), GUILD - 1]),
        st.sampled_from(PermissionTarget),
        st.booleans(),
    ),
    max_size=6,
    unique_by=lambda each: (each.target_id, each.type),
)
COMMANDS = st.one_of(st.none(), st.just(0), st.integers(0, 2**54 - 1)).map(
    lambda bits: replace(COMMAND, default_member_permissions=bits)
)
USERS = st.builds(
    CommandUser,
    st.just(GUILD),
    st.just(USER),
    st.sampled_from([(), ROLES[:1], ROLES]),
    st.integers(0, int(sum(Permissions))).map(Permissions),
    st.sampled_from([CHANNEL, ChannelId(111), None]),
)


def oracle(
    command: Command,
    who: CommandUser,
    of_command: list[CommandOverwrite],
    of_application: list[CommandOverwrite],
) -> bool:
    """The same rules as a search for the first overwrite that decides."""

    def first(overwrites: list[CommandOverwrite], *targets: tuple[PermissionTarget, int]) -> object:
        known = {(each.type, each.target_id): each.permission for each in overwrites}
        return next((known[target] for target in targets if target in known), None)

    def of_roles(overwrites: list[CommandOverwrite]) -> list[bool]:
        return [
            each.permission
            for each in overwrites
            if each.type == PermissionTarget.ROLE and each.target_id in who.roles
        ]

    def of_user(overwrites: list[CommandOverwrite]) -> object:
        own = first(overwrites, (PermissionTarget.USER, USER))
        if own is not None:
            return own
        roles = of_roles(overwrites)
        return any(roles) if roles else first(overwrites, (PermissionTarget.ROLE, GUILD))

    if Permissions.ADMINISTRATOR in who.permissions:
        return True
    if USE not in who.permissions:
        return False
    if who.channel_id is not None:
        here = (PermissionTarget.CHANNEL, who.channel_id)
        anywhere = (PermissionTarget.CHANNEL, GUILD - 1)
        decisions = [first(each, here, anywhere) for each in (of_command, of_application)]
        if next((each for each in decisions if each is not None), True) is False:
            return False
    decided = of_user(of_command)
    if decided is not None:
        return bool(decided)
    bits = command.default_member_permissions
    granted = bits is None or (bits > 0 and bits & int(who.permissions) == bits)
    return granted and of_user(of_application) is not False


@given(COMMANDS, USERS, OVERWRITES, OVERWRITES)
def test_may_use_agrees_with_the_first_decision(
    command: Command,
    who: CommandUser,
    of_command: list[CommandOverwrite],
    of_application: list[CommandOverwrite],
) -> None:
    found = may_use(command, who, of_command=of_command, of_application=of_application)
    assert found == oracle(command, who, of_command, of_application)


@given(COMMANDS, USERS, OVERWRITES, OVERWRITES)
def test_order_of_overwrites_makes_no_difference(
    command: Command,
    who: CommandUser,
    of_command: list[CommandOverwrite],
    of_application: list[CommandOverwrite],
) -> None:
    found = may_use(command, who, of_command=of_command, of_application=of_application)
    assert found == may_use(
        command, who, of_command=of_command[::-1], of_application=of_application[::-1]
    )


@given(COMMANDS, USERS, OVERWRITES, OVERWRITES)
def test_overwrites_for_others_make_no_difference(
    command: Command,
    who: CommandUser,
    of_command: list[CommandOverwrite],
    of_application: list[CommandOverwrite],
) -> None:
    others = [user(7, True), role(777, True), channel(777, False), user(6, False)]
    assert may_use(command, who, of_command=of_command, of_application=of_application) == may_use(
        command, who, of_command=[*others, *of_command], of_application=[*others, *of_application]
    )


GUILD_ONLY, USER_ONLY = [{each} for each in IntegrationType]
BOTH = GUILD_ONLY | USER_ONLY


def test_installations_by_which_a_command_can_be_used() -> None:
    guild, dm, group = InteractionContext
    command = replace(COMMAND, integration_types=tuple(IntegrationType))
    for context in (guild, dm):
        assert command.usable_installations(context, BOTH) == BOTH
        assert command.usable_installations(context, USER_ONLY) == USER_ONLY
        assert command.usable_installations(context, ()) == set()
    assert command.usable_installations(group, BOTH) == USER_ONLY
    of_users = replace(command, integration_types=(IntegrationType.USER_INSTALL,))
    assert of_users.usable_installations(guild, GUILD_ONLY) == set()
    assert of_users.usable_installations(guild, BOTH) == USER_ONLY


def test_contexts_of_a_command() -> None:
    guild, dm, group = InteractionContext
    command = replace(COMMAND, contexts=(dm,), integration_types=tuple(IntegrationType))
    assert command.usable_installations(dm, GUILD_ONLY) == GUILD_ONLY
    for context in (guild, group):
        assert command.usable_installations(context, BOTH) == set()


def test_command_of_a_guild_needs_the_guild() -> None:
    guild, *private = InteractionContext
    command = replace(COMMAND, guild_id=GUILD, contexts=tuple(private))
    assert command.usable_installations(guild, BOTH) == GUILD_ONLY
    assert command.usable_installations(guild, USER_ONLY) == set()
    for context in private:
        assert command.usable_installations(context, BOTH) == set()

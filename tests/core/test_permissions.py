"""Permissions: the algorithm against a simple and slow reference."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chatd.core import permissions
from chatd.core.ids import GuildId, RoleId, UserId
from chatd.core.overwrites import Overwrite, OverwriteType
from chatd.core.permissions import ALL, NONE, TIMED_OUT, Permissions

GUILD, USER = GuildId(1), UserId(100)
ROLE_IDS = [RoleId(number) for number in range(2, 7)]

BITS = st.sampled_from(list(Permissions))
SETS = st.sets(BITS).map(lambda bits: Permissions(sum(bits)))
ROLES = st.lists(SETS, max_size=5)
TARGETS = st.sampled_from([GUILD, *ROLE_IDS, USER, UserId(101)])


@st.composite
def overwrites(draw: st.DrawFn) -> list[Overwrite]:
    """At most one overwrite for each target, of the type of the target."""
    targets = draw(st.lists(TARGETS, unique=True))
    return [
        Overwrite(
            target,
            OverwriteType.MEMBER if target >= USER else OverwriteType.ROLE,
            draw(SETS),
            draw(SETS),
        )
        for target in targets
    ]


def reference(
    granted: Permissions, found: list[Overwrite], roles: list[RoleId]
) -> set[Permissions]:
    """Compute the permissions as Discord documents it, one bit at a time."""
    result = set()
    for bit in Permissions:
        has = bit in granted
        for overwrite in found:
            if overwrite.target_id == GUILD:
                if overwrite.deny & bit:
                    has = False
                if overwrite.allow & bit:
                    has = True
        of_roles = [each for each in found if each.target_id in roles]
        if any(each.deny & bit for each in of_roles):
            has = False
        if any(each.allow & bit for each in of_roles):
            has = True
        for overwrite in found:
            if overwrite.target_id == USER:
                if overwrite.deny & bit:
                    has = False
                if overwrite.allow & bit:
                    has = True
        if has:
            result.add(bit)
    result.discard(Permissions.ADMINISTRATOR)  # it applies to whole guilds
    if Permissions.VIEW_CHANNEL not in result:
        return set()
    if Permissions.SEND_MESSAGES not in result:
        result -= {
            Permissions.MENTION_EVERYONE,
            Permissions.SEND_TTS_MESSAGES,
            Permissions.ATTACH_FILES,
            Permissions.EMBED_LINKS,
        }
    return result


@given(SETS, overwrites(), st.lists(st.sampled_from(ROLE_IDS), unique=True))
def test_overwrites_apply_as_documented(
    granted: Permissions, found: list[Overwrite], roles: list[RoleId]
) -> None:
    result = permissions.in_channel(granted, found, guild_id=GUILD, user_id=USER, roles=roles)
    if Permissions.ADMINISTRATOR in granted:
        assert result == granted
    else:
        assert set(result) == reference(granted, found, roles)


@given(overwrites())
def test_owners_and_administrators_have_all_permissions(
    found: list[Overwrite],
) -> None:
    for granted in (
        permissions.in_guild(is_owner=True, roles=[]),
        permissions.in_guild(is_owner=False, roles=[Permissions.ADMINISTRATOR]),
    ):
        assert granted == ALL
        result = permissions.in_channel(granted, found, guild_id=GUILD, user_id=USER, roles=[])
        assert result == ALL
        assert permissions.while_timed_out(granted) == ALL


@given(ROLES, BITS)
def test_bit_is_granted_iff_a_role_grants_it(roles: list[Permissions], bit: Permissions) -> None:
    granted = permissions.in_guild(is_owner=False, roles=roles)
    if any(Permissions.ADMINISTRATOR in role for role in roles):
        assert granted == ALL
    else:
        assert (bit in granted) == any(bit in role for role in roles)


@given(SETS)
def test_timed_out_member_can_only_read(granted: Permissions) -> None:
    left = permissions.while_timed_out(granted)
    if Permissions.ADMINISTRATOR in granted:
        assert left == granted
    else:
        assert left == granted & TIMED_OUT


def test_overwrites_do_not_lift_a_timeout() -> None:
    allow = Overwrite(USER, OverwriteType.MEMBER, Permissions.ADMINISTRATOR, 0)
    everyone = permissions.EVERYONE
    granted = permissions.in_channel(everyone, [allow], guild_id=GUILD, user_id=USER, roles=[])
    assert granted == everyone
    assert permissions.while_timed_out(granted) == TIMED_OUT


@given(SETS)
def test_hidden_channel_grants_no_permissions(granted: Permissions) -> None:
    blind = granted & ~(Permissions.VIEW_CHANNEL | Permissions.ADMINISTRATOR)
    assert permissions.in_channel(blind, [], guild_id=GUILD, user_id=USER, roles=[]) == NONE


def test_bits_are_those_of_discord() -> None:
    names = ("SEND_MESSAGES", "MODERATE_MEMBERS", "BYPASS_SLOWMODE")
    assert [int(Permissions[name]) for name in names] == [1 << 11, 1 << 40, 1 << 52]

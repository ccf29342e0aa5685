"""Permissions: what a member may do."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chatd.core import permissions
from chatd.core.permissions import ALL, NONE, Permissions

BITS = st.sampled_from(list(Permissions))
ROLES = st.lists(st.sets(BITS).map(lambda bits: Permissions(sum(bits))), max_size=5)


@given(ROLES, st.booleans())
def test_an_owner_may_do_everything(roles: list[Permissions], timed_out: bool) -> None:
    assert permissions.in_guild(is_owner=True, roles=roles, timed_out=timed_out) == ALL


@given(ROLES, st.booleans(), BITS)
def test_one_bit_is_granted_exactly_when_some_role_grants_it(
    roles: list[Permissions], timed_out: bool, bit: Permissions
) -> None:
    granted = permissions.in_guild(is_owner=False, roles=roles, timed_out=timed_out)
    if any(Permissions.ADMINISTRATOR in role for role in roles):
        assert bit in granted
    elif timed_out and bit not in (Permissions.VIEW_CHANNEL, Permissions.READ_MESSAGE_HISTORY):
        assert bit not in granted
    else:
        assert (bit in granted) == any(bit in role for role in roles)


@given(ROLES)
def test_who_cannot_see_a_channel_can_do_nothing_in_it(roles: list[Permissions]) -> None:
    in_guild = permissions.in_guild(is_owner=False, roles=roles)
    in_channel = permissions.in_channel(in_guild)
    assert in_channel == (in_guild if Permissions.VIEW_CHANNEL in in_guild else NONE)


def test_bits_are_those_of_discord() -> None:
    names = ("SEND_MESSAGES", "MODERATE_MEMBERS", "BYPASS_SLOWMODE")
    assert [int(Permissions[name]) for name in names] == [1 << 11, 1 << 40, 1 << 52]

"""Entries: what goes in comes out, and nothing else is taken for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.bus import entries
from chatd.core.ids import ChannelId, GuildId, StreamId, UserId
from chatd.core.intents import Intents
from chatd.core.permissions import Permissions
from chatd.events.event import Event, to_channel, to_guild, to_user

ids = st.integers(1, 2**63 - 1)
audiences = st.one_of(
    st.builds(lambda each: to_user(UserId(each)), ids),
    st.builds(lambda each: to_guild(GuildId(each), Permissions.VIEW_AUDIT_LOG), ids),
    st.builds(lambda each: to_channel(ChannelId(each)), ids),
)
events = st.builds(
    Event,
    st.sampled_from(["MESSAGE_CREATE", "TYPING_START"]),
    ids.map(StreamId),
    audiences,
    st.binary(max_size=300),
    st.sampled_from(Intents),
    st.integers(0, 2**63 - 1),
)


@given(st.lists(events, max_size=5))
def test_what_goes_in_comes_out(published: list[Event]) -> None:
    assert entries.unpack(entries.pack(published)) == published


@given(st.lists(events, min_size=1, max_size=3), st.data())
def test_what_is_cut_off_is_refused(published: list[Event], data: st.DataObject) -> None:
    packed = entries.pack(published)
    kept = data.draw(st.integers(1, len(packed) - 1))
    try:
        found = entries.unpack(packed[:kept])
    except ValueError:
        return
    assert found == published[: len(found)] and entries.pack(found) == packed[:kept]


def test_anything_else_is_refused() -> None:
    with pytest.raises(ValueError):
        entries.unpack(b"anything else")

"""The encoding of entries: decoding inverts it, and refuses anything else."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.bus import codec
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
def test_unpack_inverts_pack(published: list[Event]) -> None:
    assert codec.unpack(codec.pack(published)) == published


@given(events)
def test_head_is_the_json_of_all_fields_but_the_body(event: Event) -> None:
    audience = event.audience
    addressed = [audience.kind, audience.id, int(audience.needed)]
    fields = [event.name, event.stream, event.seq, int(event.intent), *addressed]
    assert event.head() == orjson.dumps(fields)


@given(st.lists(events, min_size=1, max_size=3), st.data())
def test_truncated_entry_is_refused(published: list[Event], data: st.DataObject) -> None:
    packed = codec.pack(published)
    kept = data.draw(st.integers(1, len(packed) - 1))
    try:
        found = codec.unpack(packed[:kept])
    except ValueError:
        return
    assert found == published[: len(found)] and codec.pack(found) == packed[:kept]


def test_encoding_does_not_change() -> None:
    """During a rolling upgrade, instances of two versions read the same streams."""
    guild, channel, user = GuildId(1), ChannelId(2), UserId(6)
    published = [
        Event(
            "MESSAGE_CREATE",
            StreamId(guild),
            to_channel(channel),
            b'{"id":"3"}',
            Intents.GUILD_MESSAGES,
            4,
        ),
        Event("GUILD_UPDATE", StreamId(guild), to_guild(guild), b"{}", Intents.GUILDS, 5),
        Event("USER_UPDATE", StreamId(user), to_user(user), b"{}"),
    ]
    assert codec.pack(published) == (
        b"\0\0\0+\0\0\0\n"
        b'["MESSAGE_CREATE",1,4,512,"channel",2,1024]{"id":"3"}'
        b'\0\0\0"\0\0\0\2'
        b'["GUILD_UPDATE",1,5,1,"guild",1,0]{}'
        b"\0\0\0#\0\0\0\2"
        b'["USER_UPDATE",6,0,0,"user",6,1024]{}'
    )
    assert codec.Mark("run", 7).packed() == b"run:7"


def test_other_bytes_are_refused() -> None:
    with pytest.raises(ValueError):
        codec.unpack(b"anything else")

"""Frames: whatever is sent, every client library can read it."""

from __future__ import annotations

import zlib

import orjson
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from chatd.core.ids import StreamId, UserId
from chatd.events.event import Event, to_user
from chatd.gateway import frames
from chatd.gateway.frames import Dispatch, PlainTransport, ZlibStream

BODIES = st.dictionaries(st.text(max_size=20), st.text(max_size=300), max_size=5)
MESSAGES = st.lists(st.tuples(st.integers(1, 10**12), BODIES) | st.none(), max_size=8)


def dispatch(body: object) -> Dispatch:
    data = orjson.dumps(body)
    return Dispatch(Event("MESSAGE_CREATE", StreamId(1), to_user(UserId(1)), data))


def read(data: bytes) -> Frame:
    """One frame, as a WebSocket library reads it from a server."""
    reader = StreamReader()
    reader.feed_data(data)
    parsing = Frame.parse(reader.read_exact, mask=False, max_size=None)
    try:
        next(parsing)
    except StopIteration as done:
        assert isinstance(done.value, Frame)
        return done.value
    raise AssertionError("the frame is not whole")


@given(st.integers(1, 10**12), BODIES)
def test_a_dispatch_is_a_text_frame_of_json(seq: int, body: dict[str, str]) -> None:
    frame = read(PlainTransport().dispatch(dispatch(body), seq))
    assert frame.opcode is Opcode.TEXT
    assert orjson.loads(frame.data) == {"op": 0, "t": "MESSAGE_CREATE", "s": seq, "d": body}


@given(MESSAGES)
def test_every_frame_of_a_zlib_stream_inflates_to_one_payload(
    messages: list[tuple[int, dict[str, str]] | None],
) -> None:
    transport, inflator = ZlibStream(), zlib.decompressobj()
    for message in messages:
        if message is None:
            sent, expected = (
                transport.other(frames.HEARTBEAT_ACK),
                orjson.loads(frames.HEARTBEAT_ACK),
            )
        else:
            seq, body = message
            sent = transport.dispatch(dispatch(body), seq)
            expected = {"op": 0, "t": "MESSAGE_CREATE", "s": seq, "d": body}
        frame = read(sent)
        assert frame.opcode is Opcode.BINARY
        assert bytes(frame.data).endswith(b"\x00\x00\xff\xff")
        assert orjson.loads(inflator.decompress(frame.data)) == expected


def test_long_payloads_have_long_lengths() -> None:
    for size in (1, 125, 126, 65_535, 65_536, 200_000):
        data = b"x" * size
        assert bytes(read(PlainTransport().other(data)).data) == data

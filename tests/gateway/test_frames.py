"""Frames: whatever is sent, every client library can read it."""

from __future__ import annotations

import subprocess
import sys
import zlib
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import TypeVar

import orjson
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from chatd.core.ids import StreamId, UserId
from chatd.events.event import Event, to_user
from chatd.gateway import compression, frames
from chatd.gateway.batch import Batch
from chatd.gateway.frames import Dispatch
from chatd.gateway.transports import Plain, Transport, ZlibPayloads, ZlibStream, ZstdStream
from tests.conftest import repository

T = TypeVar("T")

TEXTS = st.text(max_size=300) | st.text("ab ", max_size=40).map(lambda text: text * 50)
BODIES = st.dictionaries(st.text(max_size=20), TEXTS, max_size=5)
MESSAGES = st.lists(
    st.tuples(st.integers(1, 10**12), st.lists(BODIES, min_size=1, max_size=3)) | st.none(),
    max_size=8,
)


def batch(bodies: Sequence[object]) -> Batch:
    return Batch(
        Dispatch(Event("MESSAGE_CREATE", StreamId(1), to_user(UserId(1)), orjson.dumps(body)))
        for body in bodies
    )


def payload(seq: int, body: object) -> object:
    return {"op": 0, "t": "MESSAGE_CREATE", "s": seq, "d": body}


def read_all(data: bytes) -> list[Frame]:
    """The frames, as a WebSocket library reads them from a server."""
    reader = StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    frames = []
    while not run(reader.at_eof()):
        frames.append(run(Frame.parse(reader.read_exact, mask=False, max_size=None)))
    return frames


def run(parsing: Generator[None, None, T]) -> T:
    try:
        next(parsing)
    except StopIteration as done:
        value: T = done.value
        return value
    raise AssertionError("the frame is not whole")


def read(data: bytes) -> Frame:
    [frame] = read_all(data)
    return frame


@given(st.integers(1, 10**12) | st.integers(95, 105), st.lists(BODIES, min_size=1, max_size=9))
def test_dispatches_are_text_frames_of_json(seq: int, bodies: list[dict[str, str]]) -> None:
    together = batch(bodies)
    for first in (seq, seq + 7, seq):  # what is made for one session serves the next
        frames = read_all(Plain().batch(together, first))
        assert {frame.opcode for frame in frames} == {Opcode.TEXT}
        expected = [payload(number, body) for number, body in enumerate(bodies, first)]
        assert [orjson.loads(frame.data) for frame in frames] == expected


def zlib_blobs(data: bytes) -> bytes:
    inflator = zlib.decompressobj()
    inflated = inflator.decompress(data)
    assert inflator.eof  # the checksum was right
    return inflated


def decoder(transport: Transport) -> Callable[[bytes], bytes]:
    """How a client reads what this transport sends."""
    match transport:
        case ZlibStream():
            return zlib.decompressobj().decompress
        case ZstdStream():
            return zstandard.ZstdDecompressor().decompressobj().decompress
        case _:
            return zlib_blobs


@pytest.mark.parametrize("kind", [ZlibStream, ZstdStream, ZlibPayloads])
@given(messages=MESSAGES)
def test_every_compressed_frame_holds_one_payload(
    kind: type[Transport], messages: list[tuple[int, list[object]] | None]
) -> None:
    transport = kind()
    decode = decoder(transport)
    for message in messages:
        if message is None:
            sent = transport.other(frames.HEARTBEAT_ACK)
            expected = [orjson.loads(frames.HEARTBEAT_ACK)]
        else:
            seq, bodies = message
            sent = transport.batch(batch(bodies), seq)
            expected = [payload(number, body) for number, body in enumerate(bodies, seq)]
        read = read_all(sent)
        assert {frame.opcode for frame in read} == {Opcode.BINARY}
        if kind is ZlibStream:
            assert all(bytes(frame.data).endswith(b"\x00\x00\xff\xff") for frame in read)
        assert [orjson.loads(decode(bytes(frame.data))) for frame in read] == expected


@given(st.lists(st.binary(max_size=400).map(lambda part: part * 900), max_size=4))
def test_blocks_that_were_compressed_alone_continue_any_zstd_frame(parts: list[bytes]) -> None:
    """Long ones take several blocks, repeated offsets and tables with them."""
    decode = zstandard.ZstdDecompressor().decompressobj().decompress
    assert decode(compression.ZSTD_HEADER) == b""
    for part in parts:
        stitched = compression.raw(b"{") + compression.ZSTD_RESET + compression.zstd_blocks(part)
        assert decode(stitched) == b"{" + b" " * 17 + part


_MEASURED = """
from pathlib import Path
from chatd.core.ids import StreamId, UserId
from chatd.events.event import Event, to_user
from chatd.gateway.batch import Batch
from chatd.gateway.frames import Dispatch
from chatd.gateway.transports import Plain
from chatd.wire import payloads

def used() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

plain, before = Plain(), used()
kept = []
for number in range(10_000):
    body = payloads.encode({"content": f"{number} " + "x" * SIZE})
    dispatch = Dispatch(Event("TEST", StreamId(1), to_user(UserId(1)), body))
    batch = Batch([dispatch])
    plain.batch(batch, 1)
    batch.forget()
    kept.append(dispatch)
print(Dispatch.living_bytes / (used() - before))
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux")
@pytest.mark.parametrize("size", [100, 1000, 4000])
def test_what_is_counted_is_what_is_used(size: int) -> None:
    """What waits to be replayed is bounded by bytes: they have to be counted as they are."""
    code = _MEASURED.replace("SIZE", str(size))
    measured = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, cwd=repository()
    )
    assert 0.7 < float(measured.stdout) < 2.0


def test_long_payloads_have_long_lengths() -> None:
    for size in (1, 125, 126, 65_535, 65_536, 200_000):
        data = b"x" * size
        assert bytes(read(Plain().other(data)).data) == data

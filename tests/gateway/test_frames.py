"""Frames: other libraries decode everything that the encoders produce."""

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
from chatd.gateway.protocol import compression, frames
from chatd.gateway.protocol.batch import Batch
from chatd.gateway.protocol.encoders import (
    FrameEncoder,
    PlainEncoder,
    ZlibPayloadEncoder,
    ZlibStreamEncoder,
    ZstdStreamEncoder,
)
from chatd.gateway.protocol.frames import Dispatch
from chatd.gateway.protocol.replay_budget import ReplayBudget
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
        Dispatch(
            Event("MESSAGE_CREATE", StreamId(1), to_user(UserId(1)), orjson.dumps(body)),
            ReplayBudget(2**20),
        )
        for body in bodies
    )


def payload(seq: int, body: object) -> object:
    return {"op": 0, "t": "MESSAGE_CREATE", "s": seq, "d": body}


def read_all(data: bytes) -> list[Frame]:
    """Parse frames with a WebSocket library, as a client does."""
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
    raise AssertionError("the frame is incomplete")


def read(data: bytes) -> Frame:
    [frame] = read_all(data)
    return frame


@given(st.integers(1, 10**12) | st.integers(95, 105), st.lists(BODIES, min_size=1, max_size=9))
def test_plain_encoder_sends_dispatches_as_json_text_frames(
    seq: int, bodies: list[dict[str, str]]
) -> None:
    shared = batch(bodies)
    for first in (seq, seq + 7, seq):  # sessions share cached frames
        frames = read_all(PlainEncoder().encode_batch(shared, first))
        assert {frame.opcode for frame in frames} == {Opcode.TEXT}
        expected = [payload(number, body) for number, body in enumerate(bodies, first)]
        assert [orjson.loads(frame.data) for frame in frames] == expected


def decompress_payload(data: bytes) -> bytes:
    inflator = zlib.decompressobj()
    inflated = inflator.decompress(data)
    assert inflator.eof  # the checksum is right
    return inflated


def decoder(encoder: FrameEncoder) -> Callable[[bytes], bytes]:
    """Return a client's decoder for this encoder."""
    match encoder:
        case ZlibStreamEncoder():
            return zlib.decompressobj().decompress
        case ZstdStreamEncoder():
            return zstandard.ZstdDecompressor().decompressobj().decompress
        case _:
            return decompress_payload


@pytest.mark.parametrize("kind", [ZlibStreamEncoder, ZstdStreamEncoder, ZlibPayloadEncoder])
@given(messages=MESSAGES)
def test_each_compressed_frame_contains_one_payload(
    kind: type[FrameEncoder], messages: list[tuple[int, list[object]] | None]
) -> None:
    encoder = kind()
    decode = decoder(encoder)
    for message in messages:
        if message is None:
            sent = encoder.encode(frames.HEARTBEAT_ACK)
            expected = [orjson.loads(frames.HEARTBEAT_ACK)]
        else:
            seq, bodies = message
            sent = encoder.encode_batch(batch(bodies), seq)
            expected = [payload(number, body) for number, body in enumerate(bodies, seq)]
        read = read_all(sent)
        assert {frame.opcode for frame in read} == {Opcode.BINARY}
        if kind is ZlibStreamEncoder:
            assert all(bytes(frame.data).endswith(b"\x00\x00\xff\xff") for frame in read)
        assert [orjson.loads(decode(bytes(frame.data))) for frame in read] == expected


@given(st.lists(st.binary(max_size=400).map(lambda part: part * 900), max_size=4))
def test_independently_compressed_blocks_continue_any_zstd_frame(parts: list[bytes]) -> None:
    """Long parts span several blocks with repeated offsets and tables."""
    decode = zstandard.ZstdDecompressor().decompressobj().decompress
    assert decode(compression.ZSTD_HEADER) == b""
    for part in parts:
        combined = (
            compression.raw_block(b"{") + compression.ZSTD_RESET + compression.zstd_blocks(part)
        )
        assert decode(combined) == b"{" + b" " * 17 + part


_MEASURED = """
from pathlib import Path
from chatd.core.ids import StreamId, UserId
from chatd.events.event import Event, to_user
from chatd.gateway.protocol.batch import Batch
from chatd.gateway.protocol.frames import Dispatch
from chatd.gateway.protocol.replay_budget import ReplayBudget
from chatd.gateway.protocol.encoders import PlainEncoder
from chatd.wire import payloads

def used() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

plain, budget, before = PlainEncoder(), ReplayBudget(2**30), used()
kept = []
for number in range(10_000):
    body = payloads.encode({"content": f"{number} " + "x" * SIZE})
    dispatch = Dispatch(Event("TEST", StreamId(1), to_user(UserId(1)), body), budget)
    batch = Batch([dispatch])
    plain.encode_batch(batch, 1)
    batch.release_frames()
    kept.append(dispatch)
print(budget.used_bytes / (used() - before))
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux")
@pytest.mark.parametrize("size", [100, 1000, 4000])
def test_replay_budget_matches_the_memory_that_dispatches_take(size: int) -> None:
    """The limit of replay buffers is in bytes, so the estimate must be close to real usage."""
    code = _MEASURED.replace("SIZE", str(size))
    measured = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, cwd=repository()
    )
    assert 0.7 < float(measured.stdout) < 2.0


def test_frame_header_encodes_each_payload_length() -> None:
    for size in (1, 125, 126, 65_535, 65_536, 200_000):
        data = b"x" * size
        assert bytes(read(PlainEncoder().encode(data)).data) == data


def test_dispatch_refunds_the_replay_budget_when_it_is_dropped() -> None:
    budget = ReplayBudget(max_bytes=0)
    dispatch = Dispatch(Event("TEST", StreamId(1), to_user(UserId(1)), b"{}"), budget)
    assert budget.is_exceeded
    del dispatch
    assert budget.used_bytes == 0

"""Dispatches that can wait share a write with the next one, or are written half a second later."""

from __future__ import annotations

import asyncio
import zlib

import orjson
import pytest

from chatd.core.ids import ChannelId, StreamId
from chatd.events.event import Event, to_channel
from chatd.gateway import send_queue as queue_module
from chatd.gateway.fanout import flush_scheduler as module
from chatd.gateway.fanout.flush_scheduler import FlushScheduler
from chatd.gateway.protocol import frames
from chatd.gateway.protocol.batch import Batch
from chatd.gateway.protocol.encoders import PLAIN, FrameEncoder, ZlibStreamEncoder
from chatd.gateway.protocol.frames import Dispatch
from chatd.gateway.protocol.replay_budget import ReplayBudget
from chatd.gateway.send_queue import SendQueue
from chatd.observability.metrics import Counters
from tests.helpers.gateway import send_messages
from tests.world import Client, Guild, World

BUDGET = ReplayBudget(2**30)
TYPING, MESSAGE = "TYPING_START", "MESSAGE_CREATE"


@pytest.fixture
def waits_forever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let connections wait until they write for another reason."""
    monkeypatch.setattr(module, "_WAIT_TICKS", 10**9)


async def type_in(guild: Guild) -> None:
    await guild.owner.rest.post(f"/channels/{guild.general.id}/typing")


async def names_of(client: Client, count: int) -> list[str]:
    """Receive so many dispatches, of which the client checks the numbers; return their names."""
    return [(await client.next_any()).t for _ in range(count)]


@pytest.mark.usefixtures("waits_forever")
async def test_typing_arrives_with_the_next_message_and_before_it(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    [bob] = await world.online("bob")
    await bob.received_before_fence()
    for _ in range(3):
        await type_in(guild)
        await type_in(guild)
        assert bob.all_received() == []
        await send_messages(world, guild, "x")
        assert await names_of(bob, 3) == [TYPING, TYPING, MESSAGE]
    assert await bob.received_before_fence() == []


@pytest.mark.usefixtures("waits_forever")
async def test_heartbeat_ack_does_not_wait_and_follows_typing(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    [bob] = await world.online("bob")
    await bob.received_before_fence()
    await type_in(guild)
    assert [each.t for each in await bob.received_before_fence()] == [TYPING]


async def test_typing_arrives_without_other_traffic(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    [bob] = await world.online("bob")
    await type_in(guild)
    assert (await bob.next(TYPING)).d["channel_id"] == guild.general.id


@pytest.mark.usefixtures("waits_forever")
@pytest.mark.parametrize("is_cut", [True, False])
async def test_resume_replays_waiting_dispatches_once(world: World, is_cut: bool) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    [bob] = await world.online("bob")
    await bob.received_before_fence()
    await type_in(guild)
    if is_cut:
        await bob.cut()
    again = await world.resumed("bob", bob)
    assert await names_of(again, 2) == [TYPING, "RESUMED"]
    await type_in(guild)
    await send_messages(world, guild, "x")
    assert await names_of(again, 2) == [TYPING, MESSAGE]
    assert await again.received_before_fence() == []


class Transport(asyncio.Transport):
    """Keeps what is written, which nothing reads."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.is_aborted = self.is_broken = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self.is_broken:
            raise OSError("broken")
        self.writes.append(bytes(data))

    def get_write_buffer_size(self) -> int:
        return sum(map(len, self.writes))

    def is_closing(self) -> bool:
        return self.is_aborted

    def abort(self) -> None:
        self.is_aborted = True


class Peer:
    """A send queue with its scheduler and transport."""

    def __init__(self, encoder: FrameEncoder = PLAIN) -> None:
        self.transport = Transport()
        self.scheduler = FlushScheduler(max_bytes=2**30)
        self.queue = SendQueue(self.transport, encoder, self.scheduler, Counters())
        self._seq = 0

    def send(self, *names: str, body_bytes: int = 102) -> None:
        """Send a batch of dispatches, as the delivery queue does."""
        with self.scheduler.write_through():
            self.queue.send(batch(*names, body_bytes=body_bytes), self._seq + 1)
        self._seq += len(names)

    async def written(self, count: int) -> None:
        """Wait for so many writes."""
        async with asyncio.timeout(60):
            while len(self.transport.writes) < count:
                await asyncio.sleep(0)


def batch(*names: str, body_bytes: int) -> Batch:
    audience, body = to_channel(ChannelId(1)), b'"%b"' % (b"x" * (body_bytes - 2))
    events = [Event(name, StreamId(1), audience, body) for name in names]
    return Batch([Dispatch(each, BUDGET) for each in events])


def bodies(data: bytes) -> list[bytes]:
    """Return the payloads of frames of up to 65,535 bytes, as they are."""
    found = []
    while data:
        size, start = data[1], 2
        if size == 126:
            size, start = int.from_bytes(data[2:4]), 4
        found.append(data[start : start + size])
        data = data[start + size :]
    return found


def payloads(data: bytes) -> list[tuple[str, int]]:
    """Return the names and numbers of the dispatches in frames."""
    found = [orjson.loads(body) for body in bodies(data)]
    return [(each["t"], each["s"]) for each in found]


async def test_connection_waits_for_half_a_second_at_most() -> None:
    peer = Peer()
    peer.send(TYPING)
    await asyncio.sleep(0)
    peer.send("PRESENCE_UPDATE")
    assert peer.transport.writes == []
    await peer.written(1)
    assert payloads(peer.transport.writes[0]) == [(TYPING, 1), ("PRESENCE_UPDATE", 2)]
    assert peer.scheduler._tick <= module._WAIT_TICKS
    assert module._WAIT_TICKS * module._TICK_S <= 0.5


async def test_connection_waits_again_after_each_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TICK_S", 0.001)
    peer = Peer()
    peer.send(TYPING)
    async with asyncio.timeout(60):
        while peer.scheduler._tick < 3:
            await asyncio.sleep(0)
    peer.send(MESSAGE)
    began = peer.scheduler._tick
    peer.send(TYPING)
    await peer.written(2)
    assert module._WAIT_TICKS - 1 <= peer.scheduler._tick - began <= module._WAIT_TICKS
    assert [len(payloads(each)) for each in peer.transport.writes] == [2, 1]


async def test_batch_waits_only_if_all_its_dispatches_can() -> None:
    peer = Peer()
    peer.send(TYPING, TYPING)
    assert peer.transport.writes == []
    peer.send(TYPING, MESSAGE)
    [data] = peer.transport.writes
    assert [number for _, number in payloads(data)] == [1, 2, 3, 4]


@pytest.mark.usefixtures("waits_forever")
async def test_number_of_waiting_frames_is_bounded() -> None:
    peer = Peer()
    for _ in range(queue_module._MAX_WAITING - 1):
        peer.send(TYPING)
    await asyncio.sleep(0.01)
    assert peer.transport.writes == []
    peer.send(TYPING)
    peer.send(TYPING)
    await peer.written(1)
    numbers = [number for _, number in payloads(peer.transport.writes[0])]
    assert numbers == list(range(1, queue_module._MAX_WAITING + 2))


@pytest.mark.usefixtures("waits_forever")
async def test_bytes_of_waiting_frames_are_bounded() -> None:
    """A presence has up to 15 KiB of activities, and a batch up to 20 presences."""
    peer = Peer()
    peer.send(TYPING)
    peer.send("PRESENCE_UPDATE", body_bytes=15_000)
    await peer.written(1)
    assert payloads(peer.transport.writes[0]) == [(TYPING, 1), ("PRESENCE_UPDATE", 2)]
    most = 0
    for _ in range(100):
        peer.send("PRESENCE_UPDATE", body_bytes=1000)
        await asyncio.sleep(0)
        most = max(most, sum(map(len, peer.queue.queued)))
    assert 2000 < most <= 8 * 1024


@pytest.mark.parametrize("wait_ticks", [1, 10**9])
async def test_slow_consumer_of_typing_only_is_disconnected(
    monkeypatch: pytest.MonkeyPatch, wait_ticks: int
) -> None:
    monkeypatch.setattr(module, "_WAIT_TICKS", wait_ticks)
    monkeypatch.setattr(module, "_TICK_S", 0.001)
    monkeypatch.setattr(queue_module, "MAX_SEND_QUEUE_BYTES", 10_000)
    peer = Peer()
    async with asyncio.timeout(60):
        while not peer.transport.is_aborted:
            peer.send(TYPING)
            await asyncio.sleep(0)
    assert len(peer.transport.writes[-1]) <= queue_module._MAX_WAITING * 200
    assert peer.transport.get_write_buffer_size() <= 10_000 + queue_module._MAX_WAITING * 200


async def test_compressed_stream_keeps_its_order() -> None:
    peer = Peer(ZlibStreamEncoder())
    peer.send(TYPING)
    peer.send(MESSAGE)
    peer.send(TYPING)
    peer.queue.send_payload(frames.HEARTBEAT_ACK)
    await peer.written(2)
    decoder = zlib.decompressobj()
    [first, second] = peer.transport.writes
    unpacked = decoder.decompress(b"".join(bodies(first + second)))
    assert unpacked.count(b'"op":0') == 3
    at = [unpacked.index(each) for each in (b'"s":1', b'"s":2', b'"s":3', b'"op":11')]
    assert at == sorted(at)


async def test_error_of_a_delayed_write_aborts_the_connection() -> None:
    """Otherwise later dispatches would follow the lost ones, and the client would not resume."""
    errors: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, about: errors.append(about))
    peer = Peer()
    peer.send(TYPING)
    peer.transport.is_broken = True
    async with asyncio.timeout(60):
        while not errors:
            await asyncio.sleep(0)
    asyncio.get_running_loop().set_exception_handler(None)
    assert peer.transport.is_aborted
    peer.send(MESSAGE)
    assert peer.transport.writes == []


async def test_closed_connection_is_not_kept() -> None:
    peer = Peer()
    peer.send(TYPING)
    peer.queue.close()
    assert not peer.scheduler._waiting

"""The flush scheduler writes what is queued, and bounds the total backlog."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from chatd.gateway.fanout.flush_scheduler import FlushScheduler
from tests.helpers.flushing import flushed


@dataclass(eq=False)
class Reader:
    """A connection whose client reads or does not."""

    flush_scheduler: FlushScheduler
    write_buffer_bytes: int = 0
    is_cut_off: bool = False
    is_broken: bool = False
    writes: int = 0

    def gets(self, size: int) -> None:
        self.write_buffer_bytes += size
        self.flush_scheduler.record_backlog(self, self.write_buffer_bytes)

    def reads(self) -> None:
        self.write_buffer_bytes = 0

    def flush(self) -> None:
        if self.is_broken:
            raise ValueError
        self.writes += 1

    def abort_slow_consumer(self) -> None:
        self.is_cut_off = True
        self.write_buffer_bytes = 0


def test_slowest_consumers_are_disconnected_above_the_maximum() -> None:
    flush_scheduler = FlushScheduler(max_bytes=1000)
    lazy, slow, quick = (Reader(flush_scheduler) for _ in range(3))
    lazy.gets(600)
    slow.gets(300)
    quick.gets(100)
    assert not lazy.is_cut_off
    quick.gets(1)
    assert [lazy.is_cut_off, slow.is_cut_off, quick.is_cut_off] == [True, False, False]


def test_read_bytes_are_not_counted() -> None:
    flush_scheduler = FlushScheduler(max_bytes=1000)
    quick, slow = Reader(flush_scheduler), Reader(flush_scheduler)
    slow.gets(200)
    for _ in range(100):
        quick.gets(700)
        quick.reads()
    assert not quick.is_cut_off
    assert not slow.is_cut_off


def test_removed_connections_are_not_counted() -> None:
    flush_scheduler = FlushScheduler(max_bytes=1000)
    for _ in range(10):
        leaving = Reader(flush_scheduler)
        leaving.gets(900)
        flush_scheduler.remove(leaving)
        assert not leaving.is_cut_off


def test_load_shedding_stops_at_the_low_water_mark() -> None:
    flush_scheduler = FlushScheduler(max_bytes=1000)
    readers = [Reader(flush_scheduler) for _ in range(10)]
    for reader in readers:
        reader.gets(100)
    readers[0].gets(1)
    assert sum(reader.is_cut_off for reader in readers) == 3
    assert readers[0].is_cut_off


async def test_flush_error_does_not_stop_other_connections() -> None:
    errors: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, about: errors.append(about))
    flush_scheduler = FlushScheduler(max_bytes=1000)
    readers = [Reader(flush_scheduler, is_broken=number == 1) for number in range(3)]
    for reader in readers:
        flush_scheduler.add(reader)
    await flushed(flush_scheduler)
    assert [reader.writes for reader in readers] == [1, 0, 1]
    assert len(errors) == 1

"""What is queued is written, and what clients leave unread is bounded, over all of them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from chatd.gateway.outboxes import Outboxes


@dataclass(eq=False)
class Reader:
    """Somebody who reads or does not."""

    outboxes: Outboxes
    unread_bytes: int = 0
    is_cut_off: bool = False
    is_broken: bool = False
    writes: int = 0

    def gets(self, size: int) -> None:
        self.unread_bytes += size
        self.outboxes.unread(self, self.unread_bytes)

    def reads(self) -> None:
        self.unread_bytes = 0

    def flush(self) -> None:
        if self.is_broken:
            raise ValueError
        self.writes += 1

    def cut_off(self) -> None:
        self.is_cut_off = True
        self.unread_bytes = 0


def test_those_who_leave_most_unread_are_cut_off() -> None:
    outboxes = Outboxes(max_bytes=1000)
    lazy, slow, quick = (Reader(outboxes) for _ in range(3))
    lazy.gets(600)
    slow.gets(300)
    quick.gets(100)
    assert not lazy.is_cut_off
    quick.gets(1)
    assert [lazy.is_cut_off, slow.is_cut_off, quick.is_cut_off] == [True, False, False]


def test_who_reads_is_not_counted() -> None:
    outboxes = Outboxes(max_bytes=1000)
    quick, slow = Reader(outboxes), Reader(outboxes)
    slow.gets(200)
    for _ in range(100):
        quick.gets(700)
        quick.reads()
    assert not quick.is_cut_off
    assert not slow.is_cut_off


def test_who_has_left_is_not_counted() -> None:
    outboxes = Outboxes(max_bytes=1000)
    for _ in range(10):
        leaving = Reader(outboxes)
        leaving.gets(900)
        outboxes.forget(leaving)
        assert not leaving.is_cut_off


def test_it_is_relieved_for_a_while() -> None:
    outboxes = Outboxes(max_bytes=1000)
    readers = [Reader(outboxes) for _ in range(10)]
    for reader in readers:
        reader.gets(100)
    readers[0].gets(1)
    assert sum(reader.is_cut_off for reader in readers) == 3
    assert readers[0].is_cut_off


async def test_a_fault_with_one_does_not_keep_the_others_waiting() -> None:
    told: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, about: told.append(about))
    outboxes = Outboxes(max_bytes=1000)
    readers = [Reader(outboxes, is_broken=number == 1) for number in range(3)]
    for reader in readers:
        outboxes.add(reader)
    for _ in range(3):  # turns of the loop
        await asyncio.sleep(0)
    assert [reader.writes for reader in readers] == [1, 0, 1]
    assert len(told) == 1

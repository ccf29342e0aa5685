"""What was acknowledged and what was heard; and what is wrong with it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Sent:
    """A message: when its first request went out, and when it was acknowledged."""

    id: int
    channel: str
    content: str
    asked_at: float
    acknowledged_at: float


@dataclass
class Heard:
    """A message as a session got it."""

    id: int
    channel: str
    content: str


@dataclass
class Epoch:
    """A session, from READY until it was told to identify anew, or the end."""

    ready_at: float
    heard: list[Heard] = field(default_factory=list)
    seq: int = 0
    told_at: float | None = None
    misnumbered: list[str] = field(default_factory=list)

    def count(self, seq: int) -> None:
        """Take the number of the next dispatch."""
        if seq != self.seq + 1:
            self.misnumbered.append(f"number {seq} came after {self.seq}")
        self.seq = max(self.seq, seq)


Stored = dict[str, list[tuple[int, str]]]
"""The messages of every channel in the database: id and content."""


@dataclass
class History:
    """All that was acknowledged and heard."""

    sent: list[Sent] = field(default_factory=list)
    epochs: list[list[Epoch]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def problems(self, stored: Stored) -> list[str]:
        """What is wrong with it."""
        found = [
            f"channel {channel} has {what} twice"
            for channel, rows in stored.items()
            for column, what in ((0, "an id"), (1, "a message"))
            if len(rows) != len({row[column] for row in rows})
        ]
        there = {each: content for rows in stored.values() for each, content in rows}
        for sent in self.sent:
            if sent.id not in there:
                found.append(f"message {sent.id} is lost")
            elif there[sent.id] != sent.content:
                found.append(f"message {sent.id} is another one")
        for number, epochs in enumerate(self.epochs):
            for epoch in epochs:
                found += [f"client {number}: {text}" for text in self._of(epoch, there)]
        return found

    def _of(self, epoch: Epoch, there: dict[int, str]) -> list[str]:
        found = list(epoch.misnumbered)
        ids = [each.id for each in epoch.heard]
        found += [f"{each} came {count} times" for each, count in Counter(ids).items() if count > 1]
        for channel in {each.channel for each in epoch.heard}:
            own = [each.id for each in epoch.heard if each.channel == channel]
            if own != sorted(own):
                found.append(f"channel {channel} came out of order")
        found += [
            f"{each.id} came and is not stored so"
            for each in epoch.heard
            if there.get(each.id) != each.content
        ]
        if epoch.told_at is None:
            heard = set(ids)
            found += [
                f"{each.id} did not come"
                for each in self.sent
                if each.asked_at > epoch.ready_at and each.id not in heard
            ]
        return found

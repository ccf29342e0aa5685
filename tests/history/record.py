"""What was acknowledged and heard, and what is wrong with it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Sent:
    """A message: when its first request went out, and when it was acknowledged."""

    id: int
    channel: str
    asked_at: float
    acknowledged_at: float


@dataclass
class Epoch:
    """A session, from READY until it was told to identify anew, or the end."""

    ready_at: float
    heard: list[tuple[str, int]] = field(default_factory=list)
    seq: int = 0
    told_at: float | None = None


@dataclass
class History:
    """All that was acknowledged and heard."""

    sent: list[Sent] = field(default_factory=list)
    epochs: list[list[Epoch]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def problems(self, stored: dict[str, list[int]]) -> list[str]:
        """What is wrong with it; `stored` are the messages of each channel in the database."""
        found = []
        for channel, ids in stored.items():
            if len(ids) != len(set(ids)):
                found.append(f"channel {channel} has messages twice")
        there = {each for ids in stored.values() for each in ids}
        found += [f"message {each.id} is lost" for each in self.sent if each.id not in there]
        for number, epochs in enumerate(self.epochs):
            for epoch in epochs:
                found += [f"client {number}: {text}" for text in self._of(epoch)]
        return found

    def _of(self, epoch: Epoch) -> list[str]:
        found = []
        ids = [message for _, message in epoch.heard]
        found += [f"{each} came {count} times" for each, count in Counter(ids).items() if count > 1]
        for channel in {channel for channel, _ in epoch.heard}:
            own = [message for where, message in epoch.heard if where == channel]
            if own != sorted(own):
                found.append(f"channel {channel} came out of order")
        if epoch.told_at is None:
            heard = set(ids)
            found += [
                f"{each.id} did not come"
                for each in self.sent
                if each.asked_at > epoch.ready_at and each.id not in heard
            ]
        return found

"""What was acknowledged and received, and the checks of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Sent:
    """A message, with the times of its first request and of its acknowledgement."""

    id: int
    channel: str
    content: str
    asked_at: float
    acknowledged_at: float


@dataclass
class SentToOne(Sent):
    """An ephemeral message, which only one user may receive."""

    user_id: str


@dataclass
class Received:
    """A message as a session received it."""

    id: int
    channel: str
    content: str


@dataclass
class Epoch:
    """A session, from READY until it was invalidated or the run ended."""

    ready_at: float
    received: list[Received] = field(default_factory=list)
    seq: int = 0
    invalidated_at: float | None = None
    numbering_problems: list[str] = field(default_factory=list)
    user_id: str = ""
    ephemeral: list[Received] = field(default_factory=list)
    """The ephemeral messages it received. Their content begins with the id of their user."""

    def count(self, seq: int) -> None:
        """Check the number of the next dispatch."""
        if seq != self.seq + 1:
            self.numbering_problems.append(f"number {seq} came after {self.seq}")
        self.seq = max(self.seq, seq)


Stored = dict[str, list[tuple[int, str]]]
"""The messages of every channel in the database: id and content."""


@dataclass
class History:
    """Everything that was acknowledged and received."""

    sent: list[Sent] = field(default_factory=list)
    ephemeral: list[SentToOne] = field(default_factory=list)
    epochs: list[list[Epoch]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def problems(self, stored: Stored) -> list[str]:
        """Return the violations; none if all is well."""
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
                texts = [*self._of(epoch, there), *self._of_ephemeral(epoch, there)]
                found += [f"client {number}: {text}" for text in texts]
        return found

    def _of_ephemeral(self, epoch: Epoch, there: dict[int, str]) -> list[str]:
        ids = [each.id for each in epoch.ephemeral]
        found = [
            f"the ephemeral {each.id} is for another user"
            for each in epoch.ephemeral
            if each.content.partition(" ")[0] != epoch.user_id
        ]
        found += [f"the ephemeral {each} is in the history" for each in ids if each in there]
        found += [
            f"the ephemeral {each} came {count} times"
            for each, count in Counter(ids).items()
            if count > 1
        ]
        if epoch.invalidated_at is None:
            missing = self.expected_ephemeral(epoch) - set(ids)
            found += [f"the ephemeral {each} did not come" for each in sorted(missing)]
        return found

    def expected_ephemeral(self, epoch: Epoch) -> set[int]:
        """Return the ids of the ephemeral messages that a session has to receive."""
        return {
            each.id
            for each in self.ephemeral
            if each.user_id == epoch.user_id and each.asked_at > epoch.ready_at
        }

    def _of(self, epoch: Epoch, there: dict[int, str]) -> list[str]:
        found = list(epoch.numbering_problems)
        ids = [each.id for each in epoch.received]
        found += [f"{each} came {count} times" for each, count in Counter(ids).items() if count > 1]
        for channel in {each.channel for each in epoch.received}:
            own = [each.id for each in epoch.received if each.channel == channel]
            if own != sorted(own):
                found.append(f"channel {channel} came out of order")
        found += [
            f"{each.id} came and is not stored so"
            for each in epoch.received
            if there.get(each.id) != each.content
        ]
        if epoch.invalidated_at is None:
            received = set(ids)
            found += [
                f"{each.id} did not come"
                for each in self.sent
                if each.asked_at > epoch.ready_at and each.id not in received
            ]
        return found

"""A cache of the audiences of a guild: the sessions that receive the events of a channel.

Computing an audience reads all sessions of the guild. When a session begins, the cache checks only
this session; when a member gets other roles, only the sessions of this member. When a session ends,
the cache drops all audiences.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from chatd.core.permissions import TIMED_OUT, Permissions
from chatd.events.event import AudienceKind, Event
from chatd.gateway.session.session import Session

_MAX_CHANGES = 1000
"""The maximum of changes that the cache keeps. With one more, it drops all audiences."""

Key: TypeAlias = tuple[int, Permissions]
"""A channel or guild, and the permissions that an event needs."""

_LOST_IN_TIMEOUT = ~int(TIMED_OUT)
"""The permissions that a member loses while it is timed out."""


class _Entry:
    __slots__ = ("position", "sessions")

    def __init__(self, sessions: list[Session], position: int) -> None:
        self.sessions = sessions
        """This list is replaced, but never changed: a delivery queue may hold it."""
        self.position = position
        """How many of the changes in the cache `sessions` reflects."""


class AudienceCache:
    """The audiences that were used since the permissions of the guild changed."""

    def __init__(self) -> None:
        self.revision = 0
        """Increases when a session has ended, or may see something else than before."""
        self._entries: dict[Key, _Entry] = {}
        self._changes: list[tuple[Session, bool]] = []
        """Sessions that may belong to other audiences than before, and whether audiences may
        contain them. The order is that of the changes."""

    def clear(self) -> None:
        """Drop all audiences, because any session may have ended or may see something else."""
        self.revision += 1
        self._entries.clear()
        self._changes.clear()

    def note(self, session: Session, *, is_new: bool) -> None:
        """Note that a session has begun, or may see something else than before.

        `is_new` means that no audience contains it.
        """
        if len(self._changes) >= _MAX_CHANGES:
            self.clear()
        if not is_new:
            self.revision += 1
        if self._entries:
            self._changes.append((session, is_new))

    def current(self, key: Key) -> list[Session] | None:
        """Return an audience if it is known and nothing has changed since; otherwise None."""
        entry = self._entries.get(key)
        if entry is None or entry.position < len(self._changes):
            return None
        return entry.sessions

    def get(
        self,
        key: Key,
        search: Callable[[], list[Session]],
        includes: Callable[[Session], bool],
    ) -> list[Session]:
        """Return an audience.

        If the cache does not have it, `search` computes it. For each session that has changed since
        the last use, `includes` returns whether it belongs to the audience now.
        """
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = _Entry(search(), len(self._changes))
        elif entry.position < len(self._changes):
            changed = dict(self._changes[entry.position :])
            kept = entry.sessions
            if not all(is_new for _, is_new in self._changes[entry.position :]):
                kept = [each for each in kept if each not in changed]
            added = [each for each in changed if includes(each)]
            if added or len(kept) < len(entry.sessions):
                entry.sessions = [*kept, *added]
            entry.position = len(self._changes)
        return entry.sessions


def excludes_timed_out(event: Event) -> bool:
    """Return whether an event needs a permission that timed out members do not have."""
    audience = event.audience
    return audience.kind is not AudienceKind.USER and bool(int(audience.needed) & _LOST_IN_TIMEOUT)

"""The connected sessions of people on other instances, for the lists of their clients.

Every instance publishes the sessions of its people when they change, and all of them when an
instance requests full reports. Nothing is stored: lists of an instance that is down are dropped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chatd.core.ids import UserId
from chatd.core.presence import ListedSession


class SessionsElsewhere:
    """The sessions that other instances have published last."""

    def __init__(self) -> None:
        self._of_user: dict[UserId, dict[str, Sequence[ListedSession]]] = {}

    def of(self, user_id: UserId) -> list[ListedSession]:
        """Return the sessions of a user on all other instances."""
        found = self._of_user.get(user_id)
        return [] if found is None else [each for several in found.values() for each in several]

    def apply(self, instance: str, lists: Mapping[UserId, Sequence[ListedSession]]) -> None:
        """Replace the sessions of these users on an instance. An empty list removes a user."""
        for user_id, sessions in lists.items():
            if sessions:
                self._of_user.setdefault(user_id, {})[instance] = sessions
            else:
                self._remove(user_id, instance)

    def drop(self, instance: str) -> list[UserId]:
        """Remove the sessions of an instance; return their users."""
        gone = [user_id for user_id, found in self._of_user.items() if instance in found]
        for user_id in gone:
            self._remove(user_id, instance)
        return gone

    def _remove(self, user_id: UserId, instance: str) -> None:
        found = self._of_user.get(user_id)
        if found is not None and found.pop(instance, None) is not None and not found:
            del self._of_user[user_id]

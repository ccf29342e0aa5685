"""The presence of all users on all instances: a table in memory, kept by each instance.

Every instance reports the users that are connected to it. A report of a user replaces the previous
one of that instance. It is valid until the next one, or until the instance is dropped because its
reports have stopped. Nothing is stored: after a restart, an instance requests the reports again.

A user is shown to the guilds in its reports. To other guilds it is offline: a bot has a session for
each shard, and an instance reports the guilds of those that are connected. A report can arrive
after the removal of a member that it was made before. So the table keeps recent removals, which
reports do not override.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Set
from dataclasses import dataclass, field
from itertools import islice

from chatd.core.ids import GuildId, UserId
from chatd.core.presence import OFFLINE, Presence, PresenceReport, Status, merged

_NOWHERE: frozenset[GuildId] = frozenset()


@dataclass(frozen=True, slots=True)
class PresenceChange:
    """A presence of a user, and the guilds to which it is new: may be none of the user's."""

    user_id: UserId
    presence: Presence
    guild_ids: frozenset[GuildId]


@dataclass(slots=True)
class _Shown:
    presence: Presence = OFFLINE
    guild_ids: frozenset[GuildId] = _NOWHERE
    reports: dict[str, PresenceReport] = field(default_factory=dict)


class PresenceTable:
    """The presence of every user that is online on any instance."""

    def __init__(self) -> None:
        self._users: dict[UserId, _Shown] = {}
        self._of_instance: dict[str, set[UserId]] = {}
        self._online: dict[GuildId, set[UserId]] = {}
        self._removals: dict[tuple[GuildId, UserId], float] = {}
        """The recent removals of members with their times, in ascending order."""
        self._removed_from: dict[UserId, frozenset[GuildId]] = {}
        """The guilds of these removals, by user."""

    def get(self, user_id: UserId) -> Presence:
        """Return the presence of a user."""
        shown = self._users.get(user_id)
        return OFFLINE if shown is None else shown.presence

    def get_in(self, guild_id: GuildId, user_id: UserId) -> Presence:
        """Return the presence of a user as the members of a guild see it."""
        return self.get(user_id) if self.is_online_in(guild_id, user_id) else OFFLINE

    def count_in(self, guild_id: GuildId) -> int:
        """Return how many members of a guild are shown as online."""
        return len(self._online.get(guild_id, ()))

    def users_in(self, guild_id: GuildId) -> list[UserId]:
        """Return the members of a guild that are shown as online."""
        return list(self._online.get(guild_id, ()))

    def is_online_in(self, guild_id: GuildId, user_id: UserId) -> bool:
        """Return whether a user is shown as online in a guild."""
        return user_id in self._online.get(guild_id, ())

    def apply(
        self, instance: str, reports: Mapping[UserId, PresenceReport | None]
    ) -> list[PresenceChange]:
        """Apply reports of an instance. None is for a user that is no longer connected to it."""
        changes = []
        known = self._of_instance.setdefault(instance, set())
        for user_id, report in reports.items():
            shown = self._users.setdefault(user_id, _Shown())
            if report is None:
                shown.reports.pop(instance, None)
                known.discard(user_id)
            else:
                shown.reports[instance] = report
                known.add(user_id)
            changes += self._update(user_id, shown)
        if not known:
            del self._of_instance[instance]
        return changes

    def leave(self, guild_id: GuildId, user_id: UserId, *, now: float) -> None:
        """Note that a user is no member of a guild any more: the guild is not notified of it."""
        self._removals.pop((guild_id, user_id), None)  # the order is that of the times
        self._removals[guild_id, user_id] = now
        self._removed_from[user_id] = self._removed_from.get(user_id, _NOWHERE) | {guild_id}
        shown = self._users.get(user_id)
        if shown is not None:
            shown.guild_ids -= {guild_id}
            self._set_online(guild_id, user_id, is_online=False)

    def join(self, guild_id: GuildId, user_id: UserId) -> list[PresenceChange]:
        """Note that a user is a member of a guild again: reports show it there."""
        if self._removals.pop((guild_id, user_id), None) is None:
            return []
        guild_ids = self._removed_from.pop(user_id) - {guild_id}
        if guild_ids:
            self._removed_from[user_id] = guild_ids
        shown = self._users.get(user_id)
        return [] if shown is None else self._update(user_id, shown)

    def forget_removals(self, *, before: float, maximum: int) -> Iterator[list[PresenceChange]]:
        """Forget older removals, and the oldest above a maximum number.

        Yields the changes after each: a guild may have removed thousands of members at once.
        """
        while self._removals:
            (guild_id, user_id), removed_at = next(iter(self._removals.items()))
            if removed_at >= before and len(self._removals) <= maximum:
                break
            yield self.join(guild_id, user_id)

    def others_of(self, instance: str, users: Set[UserId]) -> Set[UserId]:
        """Return the users that an instance has reported, except for these."""
        return self._of_instance.get(instance, set()) - users

    def users_of(self, instance: str, *, limit: int) -> list[UserId]:
        """Return up to `limit` users that an instance has reported."""
        return list(islice(self._of_instance.get(instance, ()), limit))

    def _update(self, user_id: UserId, shown: _Shown) -> list[PresenceChange]:
        """Merge the reports of a user. Returns the changes to notify guilds of."""
        before, guilds_before = shown.presence, shown.guild_ids
        shown.presence = merged(report.presence for report in shown.reports.values())
        shown.guild_ids = _guilds_of(shown.reports.values())
        if user_id in self._removed_from:
            shown.guild_ids -= self._removed_from[user_id]
        for guild_id in guilds_before | shown.guild_ids:
            is_online = guild_id in shown.guild_ids and shown.presence.status != Status.OFFLINE
            self._set_online(guild_id, user_id, is_online=is_online)
        if not shown.reports:
            del self._users[user_id]
        is_changed = shown.presence != before
        to_notify = shown.guild_ids if is_changed else shown.guild_ids - guilds_before
        changes = []
        if is_changed or (to_notify and shown.presence != OFFLINE):
            changes.append(PresenceChange(user_id, shown.presence, to_notify))
        if before != OFFLINE and (lost := guilds_before - shown.guild_ids):
            changes.append(PresenceChange(user_id, OFFLINE, lost))
        return changes

    def _set_online(self, guild_id: GuildId, user_id: UserId, *, is_online: bool) -> None:
        if is_online:
            self._online.setdefault(guild_id, set()).add(user_id)
        elif guild_id in self._online:
            self._online[guild_id].discard(user_id)
            if not self._online[guild_id]:
                del self._online[guild_id]


def _guilds_of(reports: Collection[PresenceReport]) -> frozenset[GuildId]:
    """Return the guilds of all reports. Mostly there is one, whose set is used."""
    if len(reports) == 1:
        return next(iter(reports)).guild_ids
    return _NOWHERE.union(*(each.guild_ids for each in reports))

"""The presence of all users on all instances: a table in memory, kept by each instance.

Every instance reports the users that are connected to it. A report of a user replaces the previous
one of that instance. It is valid until the next one, or until the instance is dropped because its
reports have stopped. Nothing is stored: after a restart, an instance requests the reports again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass, field, replace
from itertools import islice

from chatd.core.ids import GuildId, UserId
from chatd.core.presence import OFFLINE, Presence, PresenceReport, Status, merged

_NOWHERE: frozenset[GuildId] = frozenset()


@dataclass(frozen=True, slots=True)
class PresenceChange:
    """A new presence of a user, and the guilds to notify of it: none, or those that it joined."""

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

    def get(self, user_id: UserId) -> Presence:
        """Return the presence of a user."""
        shown = self._users.get(user_id)
        return OFFLINE if shown is None else shown.presence

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

    def leave(self, guild_id: GuildId, user_id: UserId) -> None:
        """Note that a user is no member of a guild any more: the guild is not notified of it."""
        shown = self._users.get(user_id)
        if shown is None or guild_id not in shown.guild_ids:
            return
        for instance, report in shown.reports.items():
            guild_ids = report.guild_ids - {guild_id}
            shown.reports[instance] = replace(report, guild_ids=guild_ids)
        shown.guild_ids -= {guild_id}
        self._set_online(guild_id, user_id, is_online=False)

    def others_of(self, instance: str, users: Set[UserId]) -> Set[UserId]:
        """Return the users that an instance has reported, except for these."""
        return self._of_instance.get(instance, set()) - users

    def users_of(self, instance: str, *, limit: int) -> list[UserId]:
        """Return up to `limit` users that an instance has reported."""
        return list(islice(self._of_instance.get(instance, ()), limit))

    def _update(self, user_id: UserId, shown: _Shown) -> list[PresenceChange]:
        """Merge the reports of a user. Returns the change to notify guilds of, if there is one."""
        before, guilds_before = shown.presence, shown.guild_ids
        shown.presence = merged(report.presence for report in shown.reports.values())
        shown.guild_ids = _guilds_of(shown.reports.values())
        to_notify = guilds_before if not shown.reports else shown.guild_ids
        is_changed = shown.presence != before
        for guild_id in guilds_before | shown.guild_ids:
            is_online = guild_id in shown.guild_ids and shown.presence.status != Status.OFFLINE
            self._set_online(guild_id, user_id, is_online=is_online)
        if not shown.reports:
            del self._users[user_id]
        if not is_changed:
            to_notify -= guilds_before
            if shown.presence == OFFLINE:
                return []
        if not (is_changed or to_notify):
            return []
        return [PresenceChange(user_id, shown.presence, to_notify)]

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

"""Who is online, on all instances: a table that each of them keeps for itself.

Every instance reports the users that are connected to it; a report replaces the one before. What
an instance has reported counts until it says otherwise, or is not heard of any more. Nothing of
this is stored: after a restart it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from chatd.core.ids import GuildId, UserId
from chatd.core.presence import OFFLINE, Presence, Report, Status, merged

_NOWHERE: frozenset[GuildId] = frozenset()


@dataclass(frozen=True, slots=True)
class Change:
    """A user shows something else now, to these guilds."""

    user_id: UserId
    presence: Presence
    guild_ids: frozenset[GuildId]


@dataclass(slots=True)
class _Shown:
    presence: Presence = OFFLINE
    guild_ids: frozenset[GuildId] = _NOWHERE
    reports: dict[str, Report] = field(default_factory=dict)


class PresenceTable:
    """The presence of every user that is online somewhere."""

    def __init__(self) -> None:
        self._users: dict[UserId, _Shown] = {}
        self._of_instance: dict[str, set[UserId]] = {}
        self._online: dict[GuildId, set[UserId]] = {}

    def of(self, user_id: UserId) -> Presence:
        """What a user shows."""
        shown = self._users.get(user_id)
        return OFFLINE if shown is None else shown.presence

    def online_in(self, guild_id: GuildId) -> frozenset[UserId]:
        """The members of a guild who show that they are there."""
        return frozenset(self._online.get(guild_id, ()))

    def count_in(self, guild_id: GuildId) -> int:
        """How many members of a guild show that they are there."""
        return len(self._online.get(guild_id, ()))

    def apply(self, instance: str, reports: Mapping[UserId, Report | None]) -> list[Change]:
        """Take in what an instance reports; None is somebody who is not there any more."""
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

    def replace(self, instance: str, reports: Mapping[UserId, Report]) -> list[Change]:
        """Take in all that an instance knows: whoever is not in it is not there any more."""
        gone: dict[UserId, Report | None] = dict.fromkeys(
            self._of_instance.get(instance, set()) - reports.keys()
        )
        return self.apply(instance, {**gone, **reports})

    def drop(self, instance: str) -> list[Change]:
        """Forget an instance that is not heard of any more."""
        return self.replace(instance, {})

    def instances(self) -> Iterable[str]:
        """The instances that have somebody."""
        return tuple(self._of_instance)

    def _update(self, user_id: UserId, shown: _Shown) -> list[Change]:
        """Show what the reports say together; returns what others have to be told of it."""
        before, guilds_before = shown.presence, shown.guild_ids
        shown.presence = merged(report.presence for report in shown.reports.values())
        shown.guild_ids = _NOWHERE.union(*(each.guild_ids for each in shown.reports.values()))
        told = guilds_before if not shown.reports else shown.guild_ids
        for guild_id in guilds_before | shown.guild_ids:
            is_online = guild_id in shown.guild_ids and shown.presence.status != Status.OFFLINE
            self._set_online(guild_id, user_id, is_online=is_online)
        if not shown.reports:
            del self._users[user_id]
        if shown.presence == before:
            told -= guilds_before
            if shown.presence == OFFLINE:
                return []
        return [Change(user_id, shown.presence, told)] if told else []

    def _set_online(self, guild_id: GuildId, user_id: UserId, *, is_online: bool) -> None:
        if is_online:
            self._online.setdefault(guild_id, set()).add(user_id)
        elif guild_id in self._online:
            self._online[guild_id].discard(user_id)
            if not self._online[guild_id]:
                del self._online[guild_id]

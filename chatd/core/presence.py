"""Presence: the status and activities of a user, as other users see them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any

from chatd.core.ids import GuildId

Activity = Mapping[str, Any]
"""Rule: Discord docs, Gateway Events, "Activity Object"."""


class Status(StrEnum):
    """Rule: Discord docs, Gateway Events, "Status Types". Invisible is shown as offline."""

    ONLINE = "online"
    DND = "dnd"
    IDLE = "idle"
    INVISIBLE = "invisible"
    OFFLINE = "offline"


_PRECEDENCE = (Status.DND, Status.ONLINE, Status.IDLE)
"""The first of these that any device shows is the status of the user.

"Do not disturb" on one device is meant for all. A user that is active on one device is online."""


@dataclass(frozen=True, slots=True)
class Presence:
    """The presence of a user on one device, or on all devices together."""

    status: Status
    activities: tuple[Activity, ...] = ()
    clients: tuple[tuple[str, Status], ...] = ()
    """The status for each kind of device ("desktop", "mobile", "web")."""


@lru_cache(1024)
def without_activities(status: Status, clients: tuple[tuple[str, Status], ...]) -> Presence:
    """Return a presence without activities, which users share: most have an equal one."""
    return Presence(status, (), clients)


@lru_cache(4096)
def shared(guild_ids: frozenset[GuildId]) -> frozenset[GuildId]:
    """Return an equal set. An instance has several of each user, which would take 216 bytes each.

    The sets of a user are made soon one after the other, so a small cache finds all of them.
    """
    return guild_ids


OFFLINE = Presence(Status.OFFLINE)
ONLINE = Presence(Status.ONLINE)


@dataclass(frozen=True, slots=True)
class PresenceReport:
    """The presence of a user on one instance to which it is connected, and the user's guilds."""

    presence: Presence
    guild_ids: frozenset[GuildId]


@dataclass(frozen=True, slots=True)
class ListedSession:
    """A connected session, as the clients of its user list it."""

    id: str
    presence: Presence
    device: str
    os: str
    presence_set_at: float = field(compare=False)
    """When the client set the presence, in seconds of Unix time."""


def status_in(settings: Mapping[str, Any]) -> Status | None:
    """Return the status in these settings of an account; None without a valid one."""
    status = settings.get("status")
    return next((each for each in Status if each == status), None)


def merged(presences: Iterable[Presence]) -> Presence:
    """Return the presence of several devices together.

    The activities are those of the last device that has any.
    """
    shown = [each for each in presences if each.status in _PRECEDENCE]
    if not shown:
        return OFFLINE
    statuses = {each.status for each in shown}
    status = next(each for each in _PRECEDENCE if each in statuses)
    activities = next((each.activities for each in reversed(shown) if each.activities), ())
    clients = _clients(shown)
    if not activities:
        return without_activities(status, clients)
    return Presence(status, activities, clients)


def _clients(presences: Iterable[Presence]) -> tuple[tuple[str, Status], ...]:
    """Return the most present status of each kind of client."""
    found: dict[str, Status] = {}
    for each in presences:
        for kind, own in each.clients:
            found[kind] = min(own, found.get(kind, own), key=_PRECEDENCE.index)
    return tuple(sorted(found.items()))

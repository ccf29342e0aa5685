"""Presence: whether somebody is there, as everybody else sees it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from chatd.core.ids import GuildId

Activity = Mapping[str, Any]
"""Rule: Discord docs, Gateway Events, "Activity Object"."""


class Status(StrEnum):
    """Rule: Discord docs, Gateway Events, "Status Types"; invisible shows as offline."""

    ONLINE = "online"
    DND = "dnd"
    IDLE = "idle"
    INVISIBLE = "invisible"
    OFFLINE = "offline"


_LOUDEST_FIRST = (Status.DND, Status.ONLINE, Status.IDLE)


@dataclass(frozen=True, slots=True)
class Presence:
    """What a user does, on one device or on all of them."""

    status: Status
    activities: tuple[Activity, ...] = ()
    clients: tuple[tuple[str, Status], ...] = ()
    """The status on each kind of device ("desktop", "mobile", "web")."""


OFFLINE = Presence(Status.OFFLINE)
ONLINE = Presence(Status.ONLINE)


@dataclass(frozen=True, slots=True)
class Report:
    """What one instance knows of a user that is connected to it, and the user's guilds."""

    presence: Presence
    guild_ids: frozenset[GuildId]


def merged(presences: Iterable[Presence]) -> Presence:
    """What several devices show together; of those that are equal, the last one tells more.

    Who wants to be left alone on one device wants it on all; who is busy on one is there.
    """
    shown = [each for each in presences if each.status in _LOUDEST_FIRST]
    if not shown:
        return OFFLINE
    statuses = {each.status for each in shown}
    status = next(each for each in _LOUDEST_FIRST if each in statuses)
    activities = next((each.activities for each in reversed(shown) if each.activities), ())
    clients: dict[str, Status] = {}
    for each in shown:
        for kind, own in each.clients:
            clients[kind] = min(own, clients.get(kind, own), key=_LOUDEST_FIRST.index)
    return Presence(status, activities, tuple(sorted(clients.items())))

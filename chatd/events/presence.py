"""Presence: dispatches to clients, and internal reports between instances."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import orjson

from chatd.core.ids import GuildId, StreamId, UserId
from chatd.core.intents import Intents
from chatd.core.json import JsonObject
from chatd.core.presence import (
    ListedSession,
    Presence,
    PresenceReport,
    Status,
    shared,
    without_activities,
)
from chatd.events.event import Event, to_guild, to_user
from chatd.wire import payloads

PRESENCE_REPORT = "PRESENCE_REPORT"
"""Internal: the presence of users that are connected to an instance."""

PRESENCE_ROLL = "PRESENCE_ROLL"
"""Internal: the ids of all users of an instance, after a report in several parts."""

SESSIONS_REPORT = "SESSIONS_REPORT"
"""Internal: the connected sessions of people on an instance."""

_NO_USER = UserId(0)

MAX_REPORT_SIZE = 2000
"""The size of one report; a user counts as 10, and each of its guilds as 1. A report of this size
takes 1 ms to apply. Unbounded, 20,000 users in 200 guilds each would be an event of 80 MB."""


def presence_updated(guild_id: GuildId, user_id: UserId, presence: Presence) -> Event:
    """PRESENCE_UPDATE. It has no `seq`: only the newest one matters."""
    body = payloads.encode({"guild_id": str(guild_id), **payloads.presence(user_id, presence)})
    stream = StreamId(guild_id)
    return Event("PRESENCE_UPDATE", stream, to_guild(guild_id), body, Intents.GUILD_PRESENCES)


def friend_presence_updated(
    user_id: UserId, presence: Presence, user: JsonObject | None = None
) -> Event:
    """PRESENCE_UPDATE of a friend, to a user client: it has no guild.

    `user` is what changed of the friend itself. Otherwise, the user has only its id.
    """
    payload = payloads.presence(user_id, presence)
    if user is not None:
        payload["user"] = user
    stream = StreamId(user_id)
    body = payloads.encode(payload)
    return Event("PRESENCE_UPDATE", stream, to_user(user_id), body, Intents.GUILD_PRESENCES)


@dataclass(frozen=True, slots=True)
class InstanceReport:
    """The presence of users of an instance.

    `instance` is an id that is new at each start. `replaces` means that the report is complete:
    other users are not connected. `asks` requests reports of the other instances. An empty report
    is a heartbeat.
    """

    instance: str
    users: Mapping[UserId, PresenceReport | None]
    replaces: bool = False
    asks: bool = False


def reported(report: InstanceReport) -> Iterator[Event]:
    """PRESENCE_REPORT, in several parts if it is large; each is encoded when it is needed.

    Parts do not replace earlier reports. A final PRESENCE_ROLL does.
    """
    parts = _parts(report.users)
    first, second = next(parts, None), next(parts, None)
    if first is None or second is None:
        yield _reported(report)
        return
    yield _reported(InstanceReport(report.instance, first, asks=report.asks))
    for part in chain([second], parts):
        yield _reported(InstanceReport(report.instance, part))
    if report.replaces:
        body = payloads.encode([report.instance, list(report.users)])
        yield Event(PRESENCE_ROLL, StreamId(_NO_USER), to_user(_NO_USER), body)


def read_roll(event: Event) -> tuple[str, set[UserId]]:
    """Return the instance and the users of a PRESENCE_ROLL."""
    instance, users = orjson.loads(event.body)
    return instance, set(users)


def _parts(
    users: Mapping[UserId, PresenceReport | None],
) -> Iterator[dict[UserId, PresenceReport | None]]:
    part: dict[UserId, PresenceReport | None] = {}
    left = MAX_REPORT_SIZE
    for user_id, report in users.items():
        size = 10 + (0 if report is None else len(report.guild_ids))
        if size > left and part:
            yield part
            part, left = {}, MAX_REPORT_SIZE
        part[user_id] = report
        left -= size
    if part:
        yield part


def _reported(report: InstanceReport) -> Event:
    users = [
        [user_id, None if each is None else _packed(each)] for user_id, each in report.users.items()
    ]
    body = payloads.encode([report.instance, users, report.replaces, report.asks])
    return Event(PRESENCE_REPORT, StreamId(_NO_USER), to_user(_NO_USER), body)


def read_report(event: Event) -> InstanceReport:
    """Decode a PRESENCE_REPORT."""
    instance, users, replaces, asks = orjson.loads(event.body)
    read = {UserId(user_id): each and _unpacked(*each) for user_id, each in users}
    return InstanceReport(instance, read, replaces, asks)


def sessions_reported(
    instance: str, lists: Mapping[UserId, Sequence[ListedSession]], *, replaces: bool = False
) -> Event:
    """SESSIONS_REPORT. An empty list means that a person is no longer connected.

    `replaces` means that people of earlier reports are not connected unless they follow.
    """
    people = [[user_id, list(map(_packed_session, each))] for user_id, each in lists.items()]
    body = payloads.encode([instance, people, replaces])
    return Event(SESSIONS_REPORT, StreamId(_NO_USER), to_user(_NO_USER), body)


def _packed_session(session: ListedSession) -> list[object]:
    presence = session.presence
    rest = [session.device, session.os, session.presence_set_at]
    return [session.id, presence.status, presence.activities, *rest]


def read_sessions(event: Event) -> tuple[str, dict[UserId, list[ListedSession]], bool]:
    """Decode a SESSIONS_REPORT: return the instance, its lists, and whether they replace all."""
    instance, people, replaces = orjson.loads(event.body)
    lists = {
        UserId(user_id): [
            ListedSession(session_id, Presence(Status(status), tuple(activities)), *rest)
            for session_id, status, activities, *rest in sessions
        ]
        for user_id, sessions in people
    }
    return instance, lists, replaces


def _packed(report: PresenceReport) -> list[object]:
    presence = report.presence
    return [presence.status, presence.activities, presence.clients, sorted(report.guild_ids)]


def _unpacked(
    status: str,
    activities: list[dict[str, object]],
    clients: list[tuple[str, str]],
    guild_ids: list[int],
) -> PresenceReport:
    shown, devices = Status(status), tuple((kind, Status(own)) for kind, own in clients)
    if activities:
        presence = Presence(shown, tuple(activities), devices)
    else:
        presence = without_activities(shown, devices)
    return PresenceReport(presence, shared(frozenset(GuildId(each) for each in guild_ids)))

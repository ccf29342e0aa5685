"""Dispatches about who is online, and what instances tell each other of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from chatd.core.ids import GuildId, StreamId, UserId
from chatd.core.intents import Intents
from chatd.core.presence import Presence, Report, Status
from chatd.events.event import Event, to_guild, to_user
from chatd.wire import payloads

PRESENCE_REPORT = "PRESENCE_REPORT"
"""Not for clients: what an instance knows of its users."""

_NOBODY = UserId(0)


def presence_updated(guild_id: GuildId, user_id: UserId, presence: Presence) -> Event:
    """PRESENCE_UPDATE. It belongs to no order: the newest one counts."""
    body = payloads.encode({"guild_id": str(guild_id), **payloads.presence(user_id, presence)})
    stream = StreamId(guild_id)
    return Event("PRESENCE_UPDATE", stream, to_guild(guild_id), body, Intents.GUILD_PRESENCES)


@dataclass(frozen=True, slots=True)
class InstanceReport:
    """What an instance says of its users.

    `instance` is new with every start. `replaces` says that it has nobody else but those; `asks`,
    that it wants to hear from the others. Without anything it says that the instance lives.
    """

    instance: str
    users: Mapping[UserId, Report | None]
    replaces: bool = False
    asks: bool = False


def reported(report: InstanceReport) -> Event:
    """PRESENCE_REPORT."""
    users = [
        [user_id, None if each is None else _packed(each)] for user_id, each in report.users.items()
    ]
    body = payloads.encode([report.instance, users, report.replaces, report.asks])
    return Event(PRESENCE_REPORT, StreamId(_NOBODY), to_user(_NOBODY), body)


def read_report(event: Event) -> InstanceReport:
    """What a PRESENCE_REPORT says."""
    instance, users, replaces, asks = orjson.loads(event.body)
    read = {UserId(user_id): each and _unpacked(*each) for user_id, each in users}
    return InstanceReport(instance, read, replaces, asks)


def _packed(report: Report) -> list[object]:
    presence = report.presence
    return [presence.status, presence.activities, presence.clients, sorted(report.guild_ids)]


def _unpacked(
    status: str,
    activities: list[dict[str, object]],
    clients: list[tuple[str, str]],
    guild_ids: list[int],
) -> Report:
    presence = Presence(
        Status(status),
        tuple(activities),
        tuple((kind, Status(own)) for kind, own in clients),
    )
    return Report(presence, frozenset(GuildId(each) for each in guild_ids))

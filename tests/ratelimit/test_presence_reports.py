"""Presence reports: their events stay small, however many users an instance has."""

from __future__ import annotations

from chatd.core.ids import GuildId, UserId
from chatd.core.presence import ONLINE, PresenceReport, Status
from chatd.core.presence_table import PresenceTable
from chatd.events import presence as events
from chatd.events.event import Event
from chatd.events.presence import InstanceReport

GUILDS = frozenset(GuildId(2**62 + number) for number in range(200))
USERS = [UserId(2**61 + number) for number in range(300)]
REPORT = PresenceReport(ONLINE, GUILDS)


def take(table: PresenceTable, found: list[Event]) -> None:
    """Apply events as another instance does."""
    for event in found:
        if event.name == events.PRESENCE_ROLL:
            instance, users = events.read_roll(event)
            table.apply(instance, dict.fromkeys(table.others_of(instance, users)))
            continue
        report = events.read_report(event)
        if report.replaces:
            gone = dict.fromkeys(table.others_of(report.instance, report.users.keys()))
            table.apply(report.instance, {**gone, **dict.fromkeys(report.users, REPORT)})
        else:
            table.apply(report.instance, report.users)


def test_long_report_is_split_into_equivalent_parts() -> None:
    table = PresenceTable()
    gone, elsewhere = UserId(1), UserId(2)
    table.apply("there", {gone: REPORT})
    table.apply("elsewhere", {elsewhere: REPORT, gone: REPORT})
    whole = InstanceReport("there", dict.fromkeys(USERS, REPORT), replaces=True, asks=True)
    found = list(events.reported(whole))
    assert len(found) > 10
    assert max(len(event.body) for event in found) < 2**16
    assert [events.read_report(event).asks for event in found[:-1]].count(True) == 1
    assert not any(events.read_report(event).replaces for event in found[:-1])
    take(table, found)
    for guild_id in GUILDS:
        assert table._online.get(guild_id, set()) == {*USERS, elsewhere, gone}
    take(table, list(events.reported(InstanceReport("elsewhere", {gone: None}))))
    # The roll has removed its stale report of the instance "there".
    assert table.get(gone).status == Status.OFFLINE


def test_short_report_is_one_event_that_replaces() -> None:
    for users in ({}, {USERS[0]: REPORT}):
        [event] = events.reported(InstanceReport("there", users, replaces=True, asks=True))
        report = events.read_report(event)
        assert (report.replaces, report.asks, set(report.users)) == (True, True, set(users))

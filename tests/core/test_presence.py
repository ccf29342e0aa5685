"""Merged presences of devices, and the guilds to notify of changes."""

from __future__ import annotations

from itertools import chain
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chatd.core.ids import GuildId, UserId
from chatd.core.presence import OFFLINE, ONLINE, Presence, PresenceReport, Status, merged
from chatd.core.presence_table import PresenceChange, PresenceTable


def on(kind: str, status: Status, *activities: str) -> Presence:
    return Presence(status, tuple({"name": each} for each in activities), ((kind, status),))


def test_presences_of_devices_are_merged() -> None:
    desktop = on("desktop", Status.IDLE, "reading")
    phone = on("mobile", Status.ONLINE)
    together = merged([desktop, phone])
    assert together.status == Status.ONLINE
    assert together.activities == ({"name": "reading"},)
    assert dict(together.clients) == {"desktop": Status.IDLE, "mobile": Status.ONLINE}
    assert merged([phone, on("desktop", Status.DND)]).status == Status.DND
    assert merged([Presence(Status.INVISIBLE), Presence(Status.OFFLINE)]) == OFFLINE
    assert merged([Presence(Status.INVISIBLE, ({"name": "secret"},)), phone]) == phone
    assert merged([]) == OFFLINE


USERS = st.integers(1, 3).map(UserId)
REPORTS = st.none() | st.builds(
    PresenceReport,
    st.sampled_from([ONLINE, Presence(Status.IDLE), OFFLINE]),
    st.frozensets(st.integers(1, 4).map(GuildId), max_size=3),
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.booleans(),
        st.dictionaries(USERS, REPORTS, max_size=3),
    )
    | st.tuples(st.sampled_from(["leave", "join"]), st.integers(1, 4).map(GuildId), USERS),
    max_size=12,
)


@given(STEPS)
def test_applied_changes_agree_with_the_table(steps: list[tuple[str, Any, Any]]) -> None:
    table = PresenceTable()
    reported: dict[tuple[str, UserId], PresenceReport] = {}
    published: dict[
        tuple[GuildId, UserId], Presence
    ] = {}  # the presences that were published to guilds
    left: set[tuple[GuildId, UserId]] = set()
    for step in steps:
        if step[0] == "leave":
            table.leave(*step[1:], now=0.0)
            left.add(step[1:])
            published.pop(step[1:], None)
            changes: list[PresenceChange] = []
        elif step[0] == "join":
            changes = table.join(*step[1:])
            left.discard(step[1:])
        else:
            instance, replaces, users = step
            changes = []
            if replaces:
                known = {user: report for user, report in users.items() if report is not None}
                gone = dict.fromkeys(table.others_of(instance, known.keys()))
                changes += table.apply(instance, {**gone, **known})
                reported = {key: each for key, each in reported.items() if key[0] != instance}
            else:
                changes += table.apply(instance, users)
            for user, report in users.items():
                reported.pop((instance, user), None)
                if report is not None:
                    reported[instance, user] = report
        for change in changes:
            for guild in change.guild_ids:
                assert (guild, change.user_id) not in left
                assert table.get_in(guild, change.user_id) == change.presence
                published[guild, change.user_id] = change.presence
    for guild in map(GuildId, range(1, 5)):
        online = set()
        for user in map(UserId, range(1, 4)):
            own = [each for (_, other), each in reported.items() if other == user]
            expected = merged(each.presence for each in own)
            assert table.get(user) == expected
            if not any(guild in each.guild_ids for each in own) or (guild, user) in left:
                expected = OFFLINE
            if expected != OFFLINE:
                online.add(user)
            assert table.get_in(guild, user) == expected
            assert published.get((guild, user), OFFLINE) == expected
        assert table._online.get(guild, set()) == online
        assert table.count_in(guild) == len(online)


def guilds(*ids: int) -> frozenset[GuildId]:
    return frozenset(map(GuildId, ids))


def report(*ids: int) -> PresenceReport:
    return PresenceReport(ONLINE, guilds(*ids))


def test_guild_without_a_session_of_a_user_is_told_that_it_is_offline() -> None:
    """A bot has a session for each shard, and one of them may end long before the others."""
    table, bot = PresenceTable(), UserId(1)
    table.apply("a", {bot: report(1, 2)})
    [change] = table.apply("a", {bot: report(2)})
    assert (change.presence, change.guild_ids) == (OFFLINE, guilds(1))
    assert table.get_in(GuildId(1), bot) == OFFLINE
    assert table.get_in(GuildId(2), bot) == ONLINE
    [change] = table.apply("a", {bot: report(1, 2)})
    assert (change.presence, change.guild_ids) == (ONLINE, guilds(1))


def test_late_report_of_a_removed_member_shows_nothing_to_the_guild() -> None:
    """Reports and removals of two instances can arrive in another order than they were made."""
    table, user, guild = PresenceTable(), UserId(1), GuildId(1)
    table.leave(guild, user, now=10.0)
    [change] = table.apply("a", {user: report(1, 2)})
    assert change.guild_ids == guilds(2)
    assert table.users_in(guild) == []
    [change] = table.join(guild, user)
    assert (change.presence, change.guild_ids) == (ONLINE, guilds(1))
    assert table.join(guild, user) == []


def test_removals_are_forgotten_by_age_and_number() -> None:
    """An instance that did not follow a guild has not received that a member joined it again."""
    table, guild = PresenceTable(), GuildId(1)
    for number in range(1, 5):
        table.apply("a", {UserId(number): report(1)})
        table.leave(guild, UserId(number), now=float(number))
    table.leave(guild, UserId(1), now=9.0)  # once more
    table.apply("a", {UserId(3): report(2)})

    def forgotten(before: float, maximum: int) -> list[PresenceChange]:
        return [*chain.from_iterable(table.forget_removals(before=before, maximum=maximum))]

    shown = forgotten(before=2.5, maximum=10)
    assert [(each.user_id, each.guild_ids) for each in shown] == [(UserId(2), guilds(1))]
    assert table.users_in(guild) == [UserId(2)]
    shown = forgotten(before=2.5, maximum=1)
    assert [each.user_id for each in shown] == [UserId(4)]  # that of 3 shows nothing here
    assert [each.user_id for each in forgotten(before=9.5, maximum=1)] == [UserId(1)]

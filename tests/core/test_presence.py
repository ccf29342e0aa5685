"""Merged presences of devices, and the guilds to notify of changes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chatd.core.ids import GuildId, UserId
from chatd.core.presence import OFFLINE, ONLINE, Presence, PresenceReport, Status, merged
from chatd.core.presence_table import PresenceTable


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
    ),
    max_size=12,
)


@given(STEPS)
def test_applied_changes_agree_with_the_table(
    steps: list[tuple[str, bool, dict[UserId, PresenceReport | None]]],
) -> None:
    table = PresenceTable()
    reported: dict[tuple[str, UserId], PresenceReport] = {}
    published: dict[
        tuple[GuildId, UserId], Presence
    ] = {}  # the presences that were published to guilds
    for instance, replaces, users in steps:
        if replaces:
            known = {user: report for user, report in users.items() if report is not None}
            gone = dict.fromkeys(table.others_of(instance, known.keys()))
            changes = table.apply(instance, {**gone, **known})
            reported = {key: each for key, each in reported.items() if key[0] != instance}
        else:
            changes = table.apply(instance, users)
        for user, report in users.items():
            reported.pop((instance, user), None)
            if report is not None:
                reported[instance, user] = report
        for change in changes:
            for guild in change.guild_ids:
                published[guild, change.user_id] = change.presence
        for guild, user in list(published):
            own = [each for (_, other), each in reported.items() if other == user]
            if own and not any(guild in each.guild_ids for each in own):
                del published[guild, user]  # the user left the guild
    for guild in map(GuildId, range(1, 5)):
        online = set()
        for user in map(UserId, range(1, 4)):
            own = [each for (_, other), each in reported.items() if other == user]
            expected = merged(each.presence for each in own)
            assert table.get(user) == expected
            if any(guild in each.guild_ids for each in own):
                if expected != OFFLINE:
                    online.add(user)
                assert published.get((guild, user), OFFLINE) == expected
        assert table._online.get(guild, set()) == online
        assert table.count_in(guild) == len(online)

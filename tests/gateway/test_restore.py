"""Restoring a suspended session: which of the events since the handoff it receives."""

from __future__ import annotations

import orjson
import pytest

from chatd.bus import codec
from chatd.bus.interest import pack_labels
from chatd.core.ids import ChannelId, GuildId, LoginId, RoleId, StreamId, UserId
from chatd.core.intents import ALL_INTENTS, Intents
from chatd.core.models import Channel, ChannelType, Guild, Role
from chatd.core.overwrites import Overwrite, OverwriteType
from chatd.core.permissions import Permissions
from chatd.core.presence_table import PresenceTable
from chatd.events import channels as channel_events
from chatd.events import users as user_events
from chatd.events.event import Event, to_channel
from chatd.gateway.fanout.delivery_queue import DeliveryQueue
from chatd.gateway.fanout.event_history import EventHistory
from chatd.gateway.fanout.flush_scheduler import FlushScheduler
from chatd.gateway.fanout.hub import Hub
from chatd.gateway.fanout.visibility import Visibility
from chatd.gateway.lifecycle import restore
from chatd.gateway.lifecycle.handoff import SuspendedSession
from chatd.gateway.lifecycle.restore import RestoreFailed, restore_session
from chatd.gateway.protocol.replay_budget import ReplayBudget
from chatd.gateway.session.session import Session
from chatd.gateway.session.state import SessionState
from chatd.observability.metrics import Counters
from chatd.services.guild_snapshot import GuildOutline

GUILD, OWNER, BOB = GuildId(1 << 22), UserId(2), UserId(3)
OPEN, STAFF = ChannelId(300), ChannelId(301)
GUILD_STREAM, USER_STREAM = StreamId(GUILD), StreamId(BOB)
VIEW = int(Permissions.VIEW_CHANNEL)
AT_HANDOFF = 10
"""The position of each feed of the session when it was saved."""


def channel(channel_id: ChannelId, *, hidden: bool) -> Channel:
    everyone = Overwrite(int(GUILD), OverwriteType.ROLE, 0, VIEW)
    return Channel(
        id=channel_id,
        guild_id=GUILD,
        type=ChannelType.TEXT,
        name="channel",
        topic=None,
        position=1,
        parent_id=None,
        nsfw=False,
        rate_limit_per_user=0,
        last_message_id=None,
        overwrites=(everyone,) if hidden else (),
    )


def visibility(*, staff_is_hidden: bool) -> Visibility:
    """Return that of a guild with an open channel and one for the staff, to which Bob is new."""
    role = Role(RoleId(GUILD), GUILD, "@everyone", VIEW, 0, False, False, 1)
    channels = [channel(OPEN, hidden=False), channel(STAFF, hidden=staff_is_hidden)]
    guild = Guild(GUILD, "guild", None, None, OWNER, None)
    made = Visibility(GUILD, OWNER)
    for _ in made.load(GuildOutline(guild, 2, [role], channels)):
        pass
    made.add_member(BOB, (), 0.0)
    return made


def message(seq: int, where: ChannelId, text: str) -> Event:
    body = orjson.dumps({"content": text, "author": {"id": str(OWNER)}})
    about = to_channel(where)
    return Event("MESSAGE_CREATE", GUILD_STREAM, about, body, Intents.GUILD_MESSAGES, seq)


class Instance:
    """An instance to which Bob's client connects after the one with its session has ended."""

    def __init__(self, *, follows: bool) -> None:
        self._follows = follows
        replay_budget = ReplayBudget(2**20)
        self.history = EventHistory(retention_s=60.0)
        self.history.backfilled.set()
        self.hub = Hub(
            resume_window_s=120,
            replay_budget=replay_budget,
            sessions_per_user=0,
            presence_table=PresenceTable(),
            delivery_queue=DeliveryQueue(FlushScheduler(max_bytes=0), Counters(), replay_budget),
        )

    def follow_guild(self, position: int, *, staff_is_hidden: bool) -> None:
        """Start a feed of the guild, as for another session; it has delivered up to `position`."""
        feed = self.hub.guild_feed(GUILD)
        feed.restore(visibility(staff_is_hidden=staff_is_hidden), position, 0.0)

    async def restore(self, *missed: Event, staff_is_hidden: bool = False) -> Session:
        """Restore the session. `missed` are the events since the handoff, in Postgres' order."""
        for event in missed:
            if self._follows:
                self.history.add(event)
            else:
                self.history.keep(codec.pack([event]), pack_labels([event.stream]))
        saved = visibility(staff_is_hidden=staff_is_hidden)
        suspended = SuspendedSession(
            SessionState("s", BOB, LoginId(1), ALL_INTENTS),
            replay=[],
            user_position=AT_HANDOFF,
            guilds={GUILD: (AT_HANDOFF, saved)},
            presences={},
        )
        positions = {each.stream: each.seq for each in missed}
        return await restore_session(suspended, self.hub, self.history, positions)


@pytest.fixture(params=["alone", "alone without the streams", "beside others"])
def instance(request: pytest.FixtureRequest) -> Instance:
    """An instance without a feed of the guild, or with one that is ahead of the session.

    Without the streams, it has not decoded the events that the session missed.
    """
    made = Instance(follows=request.param != "alone without the streams")
    if request.param == "beside others":
        made.follow_guild(AT_HANDOFF + 3, staff_is_hidden=True)
    return made


def texts(session: Session) -> list[str]:
    """Return the contents of the messages in the replay buffer of a session."""
    events = [dispatch.event for dispatch in session.replay_buffer]
    return [
        orjson.loads(event.body)["content"] for event in events if event.name == "MESSAGE_CREATE"
    ]


async def test_missed_messages_are_those_of_visible_channels(instance: Instance) -> None:
    session = await instance.restore(
        message(11, OPEN, "for all"),
        message(12, STAFF, "for the staff"),
        message(13, OPEN, "for all, too"),
        staff_is_hidden=True,
    )
    assert texts(session) == ["for all", "for all, too"]
    assert instance.hub.session("s") is session


async def test_visibility_at_the_position_of_an_event_decides(instance: Instance) -> None:
    hiding = channel_events.channel_updated(channel(STAFF, hidden=True))
    session = await instance.restore(
        message(11, STAFF, "while Bob saw it"),
        hiding.numbered(12),
        message(13, STAFF, "after that"),
    )
    assert texts(session) == ["while Bob saw it"]


async def test_session_follows_the_feed_after_the_missed_events(instance: Instance) -> None:
    session = await instance.restore(
        message(11, OPEN, "one"),
        message(12, OPEN, "two"),
        message(13, OPEN, "three"),
        staff_is_hidden=True,
    )
    feed = instance.hub.guild_feed(GUILD)
    feed.push(message(14, OPEN, "four"), 0.0)
    feed.push(message(15, STAFF, "hidden"), 0.0)
    instance.hub.flush_deliveries()
    assert texts(session) == ["one", "two", "three", "four"]


async def test_missing_event_prevents_the_restore(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restore, "_CATCH_UP_S", 0.0)
    with pytest.raises(RestoreFailed):
        await instance.restore(message(11, OPEN, "one"), message(13, OPEN, "three"))
    assert instance.hub.session("s") is None


@pytest.mark.parametrize(
    "event",
    [user_events.login_revoked(BOB, LoginId(1)), user_events.membership_changed(BOB, GUILD)],
    ids=["logout", "membership"],
)
async def test_ended_login_or_changed_membership_prevents_the_restore(
    instance: Instance, event: Event
) -> None:
    with pytest.raises(RestoreFailed):
        await instance.restore(event.numbered(11))
    assert instance.hub.session("s") is None


async def test_logout_of_another_login_does_not_matter() -> None:
    event = user_events.login_revoked(BOB, LoginId(2)).numbered(11)
    instance = Instance(follows=True)
    assert await instance.restore(event) is instance.hub.session("s")

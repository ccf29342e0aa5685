"""A session numbers, remembers and replays."""

from __future__ import annotations

import orjson

from chatd.core.ids import GuildId, LoginId, StreamId, UserId
from chatd.core.intents import Intents
from chatd.core.presence import Presence, Status
from chatd.events.event import Event, to_user
from chatd.gateway import session as module
from chatd.gateway.batch import Batch
from chatd.gateway.commands import CloseCode
from chatd.gateway.frames import Dispatch
from chatd.gateway.session import Session, SessionState


class Outlet:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.sent: list[int] = []

    def send(self, batch: Batch, seq: int) -> None:
        self.sent += range(seq, seq + len(batch.dispatches))

    def invalidate(self) -> None:
        self.sent.append(-1)

    def close(self, code: CloseCode, reason: str) -> None:
        self.sent.append(-code)


def session(intents: Intents = Intents.GUILDS) -> Session:
    return Session("s", UserId(1), LoginId(2), intents=intents)


def event(intent: Intents = Intents.GUILDS, size: int = 2) -> Event:
    return Event("TEST", StreamId(1), to_user(UserId(1)), b"x" * size, intent)


def test_only_what_was_asked_for_is_numbered() -> None:
    one, outlet = session(Intents.GUILDS), Outlet()
    one.outlet = outlet
    one.tell(event(Intents.GUILD_MESSAGES))
    one.tell(event(Intents.GUILDS))
    one.tell(event(Intents(0)))
    assert outlet.sent == [1, 2]


def test_of_what_comes_together_everybody_gets_what_they_asked_for() -> None:
    asked_for = (Intents.GUILDS, Intents.GUILD_MESSAGES, Intents.GUILD_PRESENCES)
    batch = Batch([Dispatch(event(intent)) for intent in (*asked_for[:2], Intents.GUILDS)])
    got = []
    for intents in asked_for:
        one = session(intents)
        one.dispatch(batch)
        got.append([each.event.intent for each in one.replayed])
        assert one.seq == len(one.replayed)
    assert got == [[Intents.GUILDS] * 2, [Intents.GUILD_MESSAGES], []]


def test_what_comes_while_detached_is_replayed_from_where_the_client_was() -> None:
    one = session()
    for _ in range(5):
        one.tell(event())
    outlet = Outlet()
    assert one.can_replay(2)
    one.replay(2, outlet)
    assert outlet.sent == [3, 4, 5]
    assert not one.can_replay(6)


def test_what_the_client_has_acknowledged_is_forgotten() -> None:
    one = session()
    for _ in range(5):
        one.tell(event())
    one.acknowledge(3)
    assert one.can_replay(3)
    assert not one.can_replay(2)


def test_the_memory_of_a_session_is_bounded() -> None:
    one = session()
    for _ in range(20):
        one.tell(event(size=module.MAX_REPLAY_BYTES // 10))
    assert not one.can_replay(9)
    assert one.can_replay(10)


def test_guilds_belong_to_shards() -> None:
    guild_ids = [GuildId(number << 22) for number in range(10)]
    shards = [
        Session("s", UserId(1), LoginId(2), intents=Intents.GUILDS, shard=(shard, 3))
        for shard in range(3)
    ]
    assert all(sum(each.takes(guild_id) for each in shards) == 1 for guild_id in guild_ids)


def test_a_session_that_was_put_away_is_what_it_was() -> None:
    presence = Presence(Status.IDLE, ({"name": "chess", "type": 0},))
    before = Session(
        "s",
        UserId(1),
        LoginId(2),
        intents=Intents.GUILDS,
        shard=(1, 3),
        presence=presence,
        client="mobile",
        is_bot=True,
    )
    for _ in range(3):
        before.tell(event())
    before.acknowledge(1)
    packed = orjson.loads(orjson.dumps(before.state().packed()))
    state = SessionState.unpacked(before.id, before.login_id, packed)
    after = Session.restored(state, before.replayed)
    assert after.state() == before.state()
    assert (after.takes_private, after.replay_bytes) == (False, before.replay_bytes)
    assert [after.can_replay(seq) for seq in range(5)] == [False, True, True, True, False]

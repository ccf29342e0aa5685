"""A session numbers dispatches, buffers them and replays them."""

from __future__ import annotations

import orjson

from chatd.core.ids import GuildId, LoginId, StreamId, UserId
from chatd.core.intents import Intents
from chatd.core.presence import Presence, Status
from chatd.events.event import Event, to_user
from chatd.gateway.protocol.batch import Batch
from chatd.gateway.protocol.commands import CloseCode
from chatd.gateway.protocol.frames import Dispatch
from chatd.gateway.protocol.replay_budget import ReplayBudget
from chatd.gateway.session import session as module
from chatd.gateway.session.session import Session
from chatd.gateway.session.state import SessionState

BUDGET = ReplayBudget(2**30)


class RecordingSink:
    """Records sequence numbers, and -1 or the negative close code for an end."""

    send_queue = None

    def __init__(self) -> None:
        self.sent: list[int] = []

    def send(self, batch: Batch, seq: int) -> None:
        self.sent += range(seq, seq + len(batch.dispatches))

    def invalidate(self) -> None:
        self.sent.append(-1)

    def close(self, code: CloseCode, reason: str) -> None:
        self.sent.append(-code)


def session(intents: Intents = Intents.GUILDS) -> Session:
    return Session(SessionState("s", UserId(1), LoginId(2), intents), BUDGET)


def event(intent: Intents = Intents.GUILDS, size: int = 2) -> Event:
    return Event("TEST", StreamId(1), to_user(UserId(1)), b"x" * size, intent)


def test_only_events_of_the_intents_are_numbered() -> None:
    subject, sink = session(Intents.GUILDS), RecordingSink()
    subject.sink = sink
    subject.send_event(event(Intents.GUILD_MESSAGES))
    subject.send_event(event(Intents.GUILDS))
    subject.send_event(event(Intents(0)))
    assert sink.sent == [1, 2]


def test_each_session_receives_the_part_of_a_batch_that_its_intents_include() -> None:
    requested = (Intents.GUILDS, Intents.GUILD_MESSAGES, Intents.GUILD_PRESENCES)
    batch = Batch([Dispatch(event(intent), BUDGET) for intent in (*requested[:2], Intents.GUILDS)])
    received = []
    for intents in requested:
        subject = session(intents)
        subject.dispatch(batch)
        received.append([each.event.intent for each in subject.replay_buffer])
        assert subject.seq == len(subject.replay_buffer)
    assert received == [[Intents.GUILDS] * 2, [Intents.GUILD_MESSAGES], []]


def test_replay_has_the_dispatches_after_the_sequence_of_the_client() -> None:
    subject = session()
    for _ in range(5):
        subject.send_event(event())
    sink = RecordingSink()
    assert subject.can_replay(2)
    subject.replay(2, sink)
    assert sink.sent == [3, 4, 5]
    assert not subject.can_replay(6)


def test_acknowledged_dispatches_cannot_be_replayed() -> None:
    subject = session()
    for _ in range(5):
        subject.send_event(event())
    subject.acknowledge(3)
    assert subject.can_replay(3)
    assert not subject.can_replay(2)


def test_size_of_the_replay_buffer_is_that_of_its_dispatches() -> None:
    subject = session()
    for size in range(20):
        subject.send_event(event(size=size))
    for seq in (0, 2, 3, 15, 16, 19, 20):  # a few are acknowledged, and almost all
        subject.acknowledge(seq)
        assert subject.replay_bytes == sum(range(seq, 20))


def test_replay_buffer_is_bounded_in_bytes() -> None:
    subject = session()
    for _ in range(20):
        subject.send_event(event(size=module.MAX_REPLAY_BYTES // 10))
    assert not subject.can_replay(9)
    assert subject.can_replay(10)


def test_each_guild_belongs_to_one_shard() -> None:
    guild_ids = [GuildId(number << 22) for number in range(10)]
    shards = [
        Session(SessionState("s", UserId(1), LoginId(2), Intents.GUILDS, shard=(shard, 3)), BUDGET)
        for shard in range(3)
    ]
    assert all(sum(each.shard_includes(guild_id) for each in shards) == 1 for guild_id in guild_ids)


def test_session_restored_from_its_record_is_equal() -> None:
    presence = Presence(Status.IDLE, ({"name": "chess", "type": 0},))
    state = SessionState(
        "s",
        UserId(1),
        LoginId(2),
        Intents.GUILDS,
        shard=(1, 3),
        presence=presence,
        device="mobile",
        is_bot=True,
    )
    before = Session(state, BUDGET)
    for _ in range(3):
        before.send_event(event())
    before.acknowledge(1)
    record = orjson.loads(orjson.dumps(before.state().to_record()))
    state = SessionState.from_record(before.id, before.login_id, record, None)
    after = Session.from_state(state, [each.event for each in before.replay_buffer], BUDGET)
    assert after.state() == before.state()
    assert (after.shard_includes_dms, after.replay_bytes) == (False, before.replay_bytes)
    assert [after.can_replay(seq) for seq in range(5)] == [False, True, True, True, False]


def test_record_of_a_session_does_not_change() -> None:
    """During a rolling upgrade, an instance of another version restores it."""
    presence = Presence(Status.IDLE, ({"name": "chess", "type": 0},))
    state = SessionState(
        "s", UserId(1), LoginId(2), Intents.GUILDS, (1, 3), presence, "mobile", True, 4
    )
    record = [1, 1, [1, 3], ["idle", [{"name": "chess", "type": 0}]], "mobile", True, 4]
    assert orjson.loads(orjson.dumps(state.to_record())) == record
    assert SessionState.from_record("s", 2, record, None) == state

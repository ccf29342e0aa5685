"""The worst frames of each gateway command: none blocks the event loop for long."""

from __future__ import annotations

import time
from typing import Any

import orjson
import pytest

from chatd.gateway.protocol import parsing
from chatd.gateway.protocol.commands import CloseConnection
from chatd.gateway.protocol.parsing import MAX_PAYLOAD
from chatd.wire.base_schema import Schema
from chatd.wire.schemas import gateway as schemas
from tests.helpers import loop_time
from tests.wire import worst
from tests.world import World

SCHEMAS: dict[int, type[Schema[Any]] | None] = {
    1: None,
    2: schemas.IdentifySchema,
    3: schemas.PresenceSchema,
    6: schemas.ResumeSchema,
    8: schemas.MemberRequestSchema,
    14: schemas.GuildSubscriptionSchema,
    31: schemas.SoundsRequestSchema,
    34: schemas.LastMessagesSchema,
    35: schemas.RecentMembersSchema,
    36: schemas.GuildRequestSchema,
    37: None,
    40: None,
    43: schemas.GuildRequestSchema,
}
_HEAD = 20  # bytes of a payload in addition to its data


def test_each_command_has_worst_frames() -> None:
    assert set(parsing._PARSERS) == set(SCHEMAS)


def _frames(op: int) -> list[bytes]:
    kind = SCHEMAS[op]
    schema = None if kind is None else kind()
    found = worst.bodies(schema, MAX_PAYLOAD - _HEAD)
    return [b'{"op":%d,"d":%b}' % (op, body.write()) for body in found]


@pytest.mark.parametrize("op", SCHEMAS)
def test_worst_frame_is_parsed_in_time(op: int) -> None:
    with loop_time.no_collection():
        for frame in _frames(op):
            taken = []
            for _ in range(loop_time.TRIES):
                began = time.thread_time()
                try:
                    parsing.parse(frame)
                except CloseConnection as closing:
                    assert len(closing.reason) <= 123  # bytes of a close frame
                taken.append(time.thread_time() - began)
                if taken[-1] < loop_time.MOST_S:
                    break
            assert min(taken) < loop_time.MOST_S, frame[:80]


@pytest.mark.parametrize("op", [3, 8, 14, 31, 35])
async def test_worst_command_of_a_session_is_handled_in_time(world: World, op: int) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    [client] = await world.online("alice")
    with loop_time.no_collection():
        for frame in _frames(op)[::3]:
            try:
                parsing.parse(frame)
            except CloseConnection:
                continue  # it closes the connection; the test above covers it
            payload = orjson.loads(frame)
            if op in (8, 14, 35):
                payload["d"]["guild_id"] = guild.id
            for _ in range(loop_time.TRIES):
                with loop_time.turns() as measured:
                    await client.send_raw(orjson.dumps(payload).decode())
                    await client.send(1, None)
                    await client.next_op(11)
                if measured.longest_s < loop_time.MOST_S:
                    break
            assert measured.longest_s < loop_time.MOST_S, frame[:80]

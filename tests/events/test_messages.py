"""Events of messages."""

from __future__ import annotations

import orjson

from chatd.core.ids import ChannelId, GuildId, MessageId
from chatd.core.models import MessageLocation
from chatd.events import messages


def test_bulk_delete_event_is_split_into_parts() -> None:
    ids = [MessageId(10**18 + number) for number in range(2_500)]
    events = messages.messages_deleted(ids, MessageLocation(ChannelId(1), GuildId(2)))
    bodies = [orjson.loads(event.body) for event in events]
    assert [int(each) for body in bodies for each in body["ids"]] == ids
    assert all(len(body["ids"]) <= 1000 and body["channel_id"] == "1" for body in bodies)
    assert {event.name for event in events} == {"MESSAGE_DELETE_BULK"}

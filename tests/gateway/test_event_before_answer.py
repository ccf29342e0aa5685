"""An event is sent to the sessions of its instance before the request that caused it is answered.

Clients rely on it: an event that arrives after the answer is newer than the answer.
"""

from __future__ import annotations

import asyncio
import http.client
import select
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest

from chatd.gateway.fanout.delivery_queue import DeliveryQueue
from tests.world import Person, World

_BUSY_S = 0.05


@pytest.fixture(autouse=True)
def _deliveries_are_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Delay deliveries, as on a busy instance. Otherwise both orders look the same."""
    process_in_slices = DeliveryQueue.process_in_slices

    async def late(self: DeliveryQueue, *arguments: Any) -> None:
        await asyncio.sleep(_BUSY_S)
        await process_in_slices(self, *arguments)

    monkeypatch.setattr(DeliveryQueue, "process_in_slices", late)
    monkeypatch.setattr(DeliveryQueue, "process_at_once", lambda _, events, __: events)


def _event_is_there_when_answered(
    person: Person, method: str, path: str, body: object, socket: int
) -> bool:
    """Call the API, and look at a gateway socket in the moment of the answer. Blocks."""
    url = urlsplit(person.rest.url)
    connection = http.client.HTTPConnection(url.hostname or "", url.port)
    headers = {"Authorization": f"Bearer {person.token}", "Content-Type": "application/json"}
    try:
        connection.request(method, path, orjson.dumps(body), headers)
        answer = connection.getresponse()
        readable, _, _ = select.select([socket], [], [], 0)
        assert 200 <= answer.status < 300, answer.read()
        return bool(readable)
    finally:
        connection.close()


@pytest.mark.parametrize("act", ["send", "edit", "private", "channel"])
async def test_event_is_readable_before_the_answer(world: World, act: str) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    alice, [bob] = guild.owner, await world.online("bob")
    messages = f"/channels/{guild.general.id}/messages"
    sent = await alice.rest.post(messages, {"content": "0"})
    await bob.next("MESSAGE_CREATE")
    bob_id = (await world.person("bob")).id
    private = await alice.rest.post("/users/@me/channels", {"recipient_id": bob_id})
    await alice.rest.post(f"/channels/{private['id']}/messages", {"content": "opens it"})
    await bob.next("MESSAGE_CREATE")
    method, path, key, name = {
        "send": ("POST", messages, "content", "MESSAGE_CREATE"),
        "edit": ("PATCH", f"{messages}/{sent['id']}", "content", "MESSAGE_UPDATE"),
        "private": ("POST", f"/channels/{private['id']}/messages", "content", "MESSAGE_CREATE"),
        "channel": ("PATCH", f"/channels/{guild.general.id}", "name", "CHANNEL_UPDATE"),
    }[act]
    for number in range(1, 4):
        with bob.unread() as socket:
            assert await asyncio.to_thread(
                _event_is_there_when_answered, alice, method, path, {key: f"{number}"}, socket
            )
        assert (await bob.next(name)).d[key] == str(number)

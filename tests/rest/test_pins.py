"""Pins, typing, and bulk delete."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

import pytest

from chatd.web.keys import DEPENDENCIES
from tests.conftest import Server
from tests.world import World, like


async def test_pins_are_published_while_the_renewal_of_the_lease_is_late(
    world: World, server: Server
) -> None:
    """Each pin sends a message, whose id must be above the newest one of the channel."""
    guild = await world.guild(owner="alice")
    path = f"/channels/{guild.general.id}/messages"
    sent = [(await guild.owner.rest.post(path, {"content": f"{n}"}))["id"] for n in range(10)]
    ids = server.runner.app[DEPENDENCIES].snowflakes
    for each in sent:
        ids.lease(until_s=ids.clock_s() + 60, limit_ms=ids.last_ms)
        answer = await guild.owner.rest.call("PUT", f"{path}/pins/{each}")
        assert answer.status == 204, answer.raw
    newest = await guild.owner.rest.get(f"{path}?limit=10")
    assert [message["type"] for message in newest] == [6] * 10


async def test_pin_is_published_and_listed(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    rest = guild.owner.rest
    base = f"/channels/{guild.general.id}"
    one, two = [await rest.post(f"{base}/messages", {"content": text}) for text in ("1", "2")]
    [client] = await world.online("bob")
    assert (await rest.call("PUT", f"{base}/messages/pins/{one['id']}")).status == 204
    assert (await client.next("CHANNEL_PINS_UPDATE")).d == like(channel_id=guild.general.id)
    assert (await client.next("MESSAGE_UPDATE")).d == like(id=one["id"], pinned=True)
    published = (await client.next("MESSAGE_CREATE")).d
    assert published == like(type=6, content="")
    assert published["message_reference"]["message_id"] == one["id"]
    await rest.put(f"{base}/pins/{two['id']}")
    listed = await world.rest("bob").get(f"{base}/pins")
    assert [message["id"] for message in listed] == [two["id"], one["id"]]
    page = await world.rest("bob").get(f"{base}/messages/pins?limit=1")
    assert page["has_more"] is True
    assert [item["message"]["id"] for item in page["items"]] == [two["id"]]
    before = quote(page["items"][0]["pinned_at"])
    page = await world.rest("bob").get(f"{base}/messages/pins?before={before}")
    assert page["has_more"] is False
    assert [item["message"]["id"] for item in page["items"]] == [one["id"]]
    await client.received_before_fence()
    await rest.put(f"{base}/pins/{two['id']}")  # pinned already: no effect
    assert await client.received_before_fence() == []
    await rest.delete(f"{base}/pins/{two['id']}")
    assert (await client.next("MESSAGE_UPDATE")).d == like(id=two["id"], pinned=False)
    await rest.delete(f"{base}/messages/pins/{one['id']}")
    assert await rest.get(f"{base}/pins") == []


async def test_system_message_cannot_be_edited(world: World) -> None:
    guild = await world.guild(owner="alice")
    rest = guild.owner.rest
    base = f"/channels/{guild.general.id}"
    sent = await rest.post(f"{base}/messages", {"content": "x"})
    await rest.put(f"{base}/pins/{sent['id']}")
    published = (await rest.get(f"{base}/messages"))[0]
    assert published["type"] == 6
    edit = await rest.call("PATCH", f"{base}/messages/{published['id']}", {"content": "mine"})
    assert (edit.status, edit.code) == (403, 50021)
    after = await rest.post(f"{base}/messages", {"content": "y"})
    assert int(after["id"]) > int(published["id"])


async def test_pinning_needs_pin_messages(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    base = f"/channels/{guild.general.id}"
    sent = await world.rest("bob").post(f"{base}/messages", {"content": "x"})
    for method in ("PUT", "DELETE"):
        answer = await world.rest("bob").call(method, f"{base}/pins/{sent['id']}")
        assert (answer.status, answer.code) == (403, 50013)
    assert (await guild.owner.rest.call("PUT", f"{base}/pins/1")).code == 10008


async def test_concurrent_pins_do_not_exceed_the_limit(world: World) -> None:
    guild = await world.guild(owner="alice")
    rest = guild.owner.rest
    base = f"/channels/{guild.general.id}"
    sent = [await rest.post(f"{base}/messages", {"content": str(n)}) for n in range(252)]
    for message in sent[:249]:
        await rest.put(f"{base}/pins/{message['id']}")
    answers = await asyncio.gather(
        *(rest.call("PUT", f"{base}/pins/{message['id']}") for message in sent[249:])
    )
    assert sorted(answer.status for answer in answers) == [204, 400, 400]
    assert {answer.code for answer in answers if answer.status == 400} == {30003}


async def test_typing_is_sent_to_members_that_see_the_channel(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    await world.person("carol")
    alice, carol = await world.online("alice", "carol")
    answer = await bob.rest.call("POST", f"/channels/{guild.general.id}/typing")
    assert answer.status == 204
    typing = (await alice.next("TYPING_START")).d
    assert typing == like(user_id=bob.id, channel_id=guild.general.id, guild_id=guild.id)
    assert isinstance(typing["timestamp"], int)
    assert await carol.received_before_fence() == []
    refused = await world.rest("carol").call("POST", f"/channels/{guild.general.id}/typing")
    assert refused.code == 50001


async def test_bulk_delete(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    rest = guild.owner.rest
    base = f"/channels/{guild.general.id}/messages"
    ids = [(await rest.post(base, {"content": str(n)}))["id"] for n in range(4)]
    [client] = await world.online("bob")
    bulk = f"{base}/bulk-delete"
    refused = await world.rest("bob").call("POST", bulk, {"messages": ids[:2]})
    assert (refused.status, refused.code) == (403, 50013)
    for wrong in (ids[:1], [], [ids[0], ids[0]]):
        answer = await rest.call("POST", bulk, {"messages": wrong})
        assert (answer.status, answer.code) == (400, 50016)
    assert (await rest.call("POST", bulk, {"messages": ["1", "2"]})).code == 50034
    assert (await rest.call("POST", bulk, {"messages": ["x", "y"]})).code == 50035
    elsewhere = await guild.channel("elsewhere")
    other = await rest.post(f"/channels/{elsewhere.id}/messages", {"content": "stays"})
    await rest.post(bulk, {"messages": [*ids[:3], other["id"]]})
    deleted = (await client.next("MESSAGE_DELETE_BULK")).d
    assert deleted == {"ids": ids[:3], "channel_id": guild.general.id, "guild_id": guild.id}
    assert [message["id"] for message in await rest.get(base)] == ids[3:]
    assert len(await rest.get(f"/channels/{elsewhere.id}/messages")) == 1


@pytest.mark.parametrize("offset", ["-18:24", "+18:24", "+23:59"])
async def test_pin_cursor_accepts_offsets_unknown_to_postgres(world: World, offset: str) -> None:
    guild = await world.guild(owner="alice")
    path = f"/channels/{guild.general.id}/messages/pins?before=2345-06-07T19:52:06{quote(offset)}"
    assert (await guild.owner.rest.get(path))["items"] == []


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"])
async def test_pin_cursor_outside_the_range_of_utc(world: World, moment: str) -> None:
    guild = await world.guild(owner="alice")
    path = f"/channels/{guild.general.id}/messages/pins?before={quote(moment)}"
    answer = await guild.owner.rest.call("GET", path)
    assert (answer.status, answer.code) == (400, 50035)
    assert answer.json["errors"].keys() == {"before"}

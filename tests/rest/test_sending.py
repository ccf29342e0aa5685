"""Sending: embeds, enforced nonces, slow mode, and system messages."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chatd.core.permissions import EVERYONE, Permissions
from tests.helpers.roles import assign_roles, create_role
from tests.world import World, like

EMBED: dict[str, Any] = {
    "title": "Report",
    "description": "All is well",
    "url": "https://example.org/report",
    "color": 0xFF8800,
    "timestamp": "2026-01-02T03:04:05+01:00",
    "footer": {"text": "the end", "icon_url": None},
    "image": {"url": "https://example.org/image.png"},
    "author": {"name": "Ada"},
    "fields": [{"name": "a", "value": "b"}, {"name": "c", "value": "d", "inline": True}],
}


async def test_embeds_are_returned_unchanged(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    rest, path = guild.owner.rest, f"/channels/{guild.general.id}/messages"
    [client] = await world.online("bob")
    sent = await rest.post(path, {"embeds": [EMBED]})
    [embed] = sent["embeds"]
    assert embed == {
        **EMBED,
        "type": "rich",
        "timestamp": "2026-01-02T02:04:05.000000+00:00",
        "footer": {"text": "the end"},
        "fields": [
            {"name": "a", "value": "b", "inline": False},
            {"name": "c", "value": "d", "inline": True},
        ],
    }
    assert (await client.next("MESSAGE_CREATE")).d["embeds"] == [embed]
    assert (await rest.get(f"{path}/{sent['id']}"))["embeds"] == [embed]
    edited = await rest.patch(f"{path}/{sent['id']}", {"embeds": [{"title": "New"}]})
    assert edited["embeds"] == [{"type": "rich", "title": "New"}]
    hidden = await rest.patch(f"{path}/{sent['id']}", {"flags": 4})
    assert hidden["embeds"] == []
    shown = await rest.patch(f"{path}/{sent['id']}", {"flags": 0})
    assert shown["embeds"] == edited["embeds"]
    emptied = await rest.call("PATCH", f"{path}/{sent['id']}", {"embeds": []})
    assert (emptied.status, emptied.code) == (400, 50006)


@pytest.mark.parametrize(
    ("embeds", "field"),
    [
        ([{}], "description"),
        ([{"title": "x" * 257}], "title"),
        ([{"description": "x" * 4097}], "description"),
        ([{"title": "x", "url": "javascript:alert(1)"}], "url"),
        ([{"title": "x", "color": 0x1000000}], "color"),
        ([{"title": "x", "timestamp": "yesterday"}], "timestamp"),
        ([{"title": "x", "fields": [{"name": "", "value": "x"}]}], "fields"),
        ([{"title": "x", "fields": [{"name": "x", "value": "x"}] * 26}], "fields"),
        ([{"title": "x", "image": {}}], "image"),
        ([{"title": "x", "footer": {"text": "x" * 2049}}], "footer"),
        ([{"title": "x"}] * 11, None),
        ([{"description": "x" * 4000}, {"description": "x" * 2001}], None),
        ({"title": "x"}, None),
        (["x"], None),
    ],
    ids=lambda value: repr(value)[:30],
)
async def test_invalid_embeds_are_rejected(world: World, embeds: object, field: str | None) -> None:
    guild = await world.guild(owner="alice")
    path = f"/channels/{guild.general.id}/messages"
    answer = await guild.owner.rest.call("POST", path, {"embeds": embeds})
    assert (answer.status, answer.code) == (400, 50035)
    errors = answer.json["errors"]["embeds"]
    assert field is None or field in errors["0"]
    assert await guild.owner.rest.get(path) == []


async def test_embeds_need_embed_links(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    rest, bob = guild.owner.rest, world.rest("bob")
    path = f"/channels/{guild.general.id}/messages"
    without = str(int(EVERYONE & ~Permissions.EMBED_LINKS))
    await bob.post(path, {"embeds": [EMBED]})
    await rest.patch(f"/guilds/{guild.id}/roles/{guild.id}", {"permissions": without})
    answer = await bob.call("POST", path, {"embeds": [EMBED]})
    assert (answer.status, answer.code) == (403, 50013)
    everything = str(int(EVERYONE))
    await bob.post(path, {"content": "what he may do is remembered now"})
    await rest.patch(f"/guilds/{guild.id}/roles/{guild.id}", {"permissions": everything})
    await bob.post(path, {"embeds": [EMBED]})


async def test_retry_with_enforced_nonce_returns_the_first_message(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    rest, path = guild.owner.rest, f"/channels/{guild.general.id}/messages"
    [client] = await world.online("bob")
    body = {"content": "once", "nonce": "n", "enforce_nonce": True}
    sent = await asyncio.gather(*(rest.post(path, body) for _ in range(10)))
    assert len({message["id"] for message in sent}) == 1
    later = await rest.post(path, {**body, "content": "said otherwise"})
    assert later == like(id=sent[0]["id"], content="once", nonce="n")
    assert [message["id"] for message in await rest.get(path)] == [sent[0]["id"]]
    received = await client.received_before_fence()
    assert [event.t for event in received] == ["MESSAGE_CREATE"]
    # A nonce of another user or channel, or one that is not enforced, creates another message.
    other = await guild.channel("other")
    again = [
        await rest.post(path, {"content": "x", "nonce": "n"}),
        await world.rest("bob").post(path, body),
        await rest.post(f"/channels/{other.id}/messages", body),
    ]
    assert len({message["id"] for message in (*again, sent[0])}) == 4
    await rest.delete(f"{path}/{sent[0]['id']}")
    gone = await rest.call("POST", path, body)
    assert (gone.status, gone.code) == (404, 10008)


async def test_slow_mode_accepts_one_message(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    rest, bob = guild.owner.rest, world.rest("bob")
    path = f"/channels/{guild.general.id}/messages"
    await rest.patch(f"/channels/{guild.general.id}", {"rate_limit_per_user": 100})
    answers = await asyncio.gather(*(bob.call("POST", path, {"content": "x"}) for _ in range(10)))
    assert sorted(answer.status for answer in answers) == [200] + [429] * 9
    refused = next(answer for answer in answers if answer.status == 429)
    assert refused.code == 20016
    assert 90 < refused.json["retry_after"] <= 100
    assert refused.headers["Via"]
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    assert 90 < int(refused.headers["Retry-After"]) <= 100
    await world.rest("carol").post(path, {"content": "my first"})
    for _ in range(2):
        await rest.post(path, {"content": "the owner need not wait"})
    nonce = {"content": "x", "nonce": 1, "enforce_nonce": True}
    assert (await bob.call("POST", path, nonce)).status == 429
    await rest.patch(f"/channels/{guild.general.id}", {"rate_limit_per_user": 0})
    first = await bob.post(path, nonce)
    await rest.patch(f"/channels/{guild.general.id}", {"rate_limit_per_user": 100})
    assert (await bob.post(path, nonce))["id"] == first["id"]  # slow mode does not apply to a retry


async def test_slow_mode_ends_after_retry_after(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob, path = world.rest("bob"), f"/channels/{guild.general.id}/messages"
    await guild.owner.rest.patch(f"/channels/{guild.general.id}", {"rate_limit_per_user": 1})
    refused = await bob.call("POST", path, {"content": "1"})
    while refused.status == 200:  # on a busy machine, slow mode ends before the next request
        refused = await bob.call("POST", path, {"content": "1"})
    assert refused.code == 20016
    await asyncio.sleep(refused.json["retry_after"])  # the announced time suffices
    await bob.post(path, {"content": "2"})


async def test_bypass_slowmode_permission_skips_slow_mode(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob, path = world.rest("bob"), f"/channels/{guild.general.id}/messages"
    await guild.owner.rest.patch(f"/channels/{guild.general.id}", {"rate_limit_per_user": 600})
    role = await create_role(guild, "fast", int(Permissions.BYPASS_SLOWMODE))
    await bob.post(path, {"content": "1"})
    assert (await bob.call("POST", path, {"content": "2"})).code == 20016
    await assign_roles(world, guild, "bob", role)
    await bob.post(path, {"content": "2"})


async def test_join_sends_a_message_to_the_system_channel(world: World) -> None:
    guild = await world.guild(owner="alice", quiet=False)
    path = f"/channels/{guild.general.id}/messages"
    alice_client, bob_client = await world.online("alice", "bob")
    bob = await world.person("bob")
    await guild.admit(bob)
    published = (await alice_client.next("MESSAGE_CREATE")).d
    assert published == like(type=7, content="", author=like(id=bob.id), guild_id=guild.id)
    await bob_client.next("GUILD_CREATE")
    assert (await bob_client.next("MESSAGE_CREATE")).d["id"] == published["id"]
    assert [message["id"] for message in await guild.owner.rest.get(path)] == [published["id"]]
    await guild.owner.rest.patch(f"/guilds/{guild.id}", {"system_channel_flags": 1})
    assert (await guild.owner.rest.get(f"/guilds/{guild.id}"))["system_channel_flags"] == 1
    await guild.admit(await world.person("carol"))
    await guild.owner.rest.patch(
        f"/guilds/{guild.id}", {"system_channel_flags": 0, "system_channel_id": None}
    )
    await guild.admit(await world.person("dave"))
    assert len(await guild.owner.rest.get(path)) == 1

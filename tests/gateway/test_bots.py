"""Bots on the gateway: privileged intents, and messages whose content is not theirs to read."""

from __future__ import annotations

import pytest

from chatd.core.intents import ALL_INTENTS, PRIVILEGED, Intents
from chatd.core.models import ApplicationFlags
from tests.world import Client, World, like

MODEST = int(ALL_INTENTS & ~(Intents.GUILD_PRESENCES | Intents.MESSAGE_CONTENT))


async def test_ready_tells_a_bot_what_it_may_ask_for(world: World) -> None:
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", "alice", guild)
    await guild.owner.rest.post("/users/@me/channels", {"recipient_id": bot.id})
    await guild.owner.rest.patch(f"/applications/{bot.id}", {"flags": 1 << 13})
    [client] = await world.online("bot", intents=int(Intents.GUILDS))
    assert client.ready == like(
        application={"id": bot.id, "flags": 1 << 13},
        private_channels=[],
        guilds=[{"id": guild.id, "unavailable": True}],
    )
    assert client.ready["user"] == like(id=bot.id, bot=True)


@pytest.mark.parametrize("intent", PRIVILEGED, ids=lambda intent: intent.name)
async def test_privileged_intents_need_a_flag(world: World, intent: Intents) -> None:
    bot = await world.bot("bot", owner="alice")
    alice = await world.person("alice")
    wanted = {"token": bot.token, "properties": {}, "intents": int(intent | Intents.GUILDS)}
    without = int(ApplicationFlags.PRIVILEGED & ~PRIVILEGED[intent])
    await alice.rest.patch(f"/applications/{bot.id}", {"flags": without})
    client = await world.socket()
    await client.send(2, wanted)
    assert await client.closed() == 4014
    for flag in PRIVILEGED[intent]:  # either of the two will do
        await alice.rest.patch(f"/applications/{bot.id}", {"flags": int(flag)})
        await world.online("bot", intents=wanted["intents"])


async def test_people_need_no_flag(world: World) -> None:
    await world.online("alice", intents=int(ALL_INTENTS))


async def said_to(client: Client) -> dict[str, object]:
    message: dict[str, object] = (await client.next("MESSAGE_CREATE")).d
    return message


async def test_content_is_for_those_it_is_for(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bot = await world.bot("bot", "alice", guild)
    await world.bot("reader", "alice", guild)
    modest, bob = await world.online("bot", "bob", intents=MODEST)
    [reader] = await world.online("reader", intents=MODEST | int(Intents.MESSAGE_CONTENT))
    alice = guild.owner.rest
    path = f"/channels/{guild.general.id}/messages"

    secret = await alice.post(path, {"content": "secret", "embeds": [{"title": "secret"}]})
    assert await said_to(modest) == like(
        id=secret["id"], content="", embeds=[], author=like(id=guild.owner.id)
    )
    for client in (bob, reader):
        assert await said_to(client) == like(content="secret", embeds=[like(title="secret")])
    await alice.patch(f"{path}/{secret['id']}", {"content": "still secret"})
    assert (await modest.next("MESSAGE_UPDATE")).d == like(content="")
    assert (await reader.next("MESSAGE_UPDATE")).d == like(content="still secret")

    to_bot = await alice.post(path, {"content": f"<@{bot.id}> listen"})
    assert await said_to(modest) == like(content=f"<@{bot.id}> listen")
    answer = {"content": "and that", "message_reference": {"message_id": to_bot["id"]}}
    await alice.post(path, {**answer, "allowed_mentions": {"parse": []}})
    answered = await said_to(modest)
    assert answered["content"] == ""
    assert answered["referenced_message"] == like(id=to_bot["id"], content="")

    await bot.rest.post(path, {"content": "mine"})
    assert await said_to(modest) == like(content="mine")


async def test_in_private_everything_is_for_the_bot(world: World) -> None:
    alice, bot = await world.person("alice"), await world.bot("bot", owner="alice")
    [client] = await world.online("bot", intents=MODEST)
    channel = await alice.rest.post("/users/@me/channels", {"recipient_id": bot.id})
    await alice.rest.post(f"/channels/{channel['id']}/messages", {"content": "secret"})
    assert await said_to(client) == like(content="secret")


async def test_a_private_channel_is_not_told_to_a_bot(world: World) -> None:
    alice, bot = await world.person("alice"), await world.bot("bot", owner="alice")
    [client] = await world.online("bot", intents=MODEST)
    channel = await alice.rest.post("/users/@me/channels", {"recipient_id": bot.id})
    await alice.rest.post(f"/channels/{channel['id']}/messages", {"content": "secret"})
    first = await client.next_of("CHANNEL_CREATE", "MESSAGE_CREATE")
    assert first.t == "MESSAGE_CREATE"


async def test_what_is_hidden_stays_hidden_in_a_replay(world: World) -> None:
    guild = await world.guild(owner="alice")
    await world.bot("bot", "alice", guild)
    [client] = await world.online("bot", intents=MODEST)
    await client.cut()
    await guild.owner.rest.post(f"/channels/{guild.general.id}/messages", {"content": "away"})
    client = await world.resumed("bot", client)
    assert await said_to(client) == like(content="")
    await client.next("RESUMED")

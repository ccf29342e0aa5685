"""Bots on the gateway: privileged intents, and message content that they may not read."""

from __future__ import annotations

import pytest

from chatd.core.intents import ALL_INTENTS, PRIVILEGED, Intents
from chatd.core.models import ApplicationFlags
from tests.world import Client, World, like

WITHOUT_CONTENT = int(ALL_INTENTS & ~(Intents.GUILD_PRESENCES | Intents.MESSAGE_CONTENT))


async def test_ready_of_a_bot_has_its_application_flags(world: World) -> None:
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
    for flag in PRIVILEGED[intent]:  # each of the two flags suffices
        await alice.rest.patch(f"/applications/{bot.id}", {"flags": int(flag)})
        await world.online("bot", intents=wanted["intents"])


async def test_users_need_no_flag_for_privileged_intents(world: World) -> None:
    await world.online("alice", intents=int(ALL_INTENTS))


async def next_message(client: Client) -> dict[str, object]:
    message: dict[str, object] = (await client.next("MESSAGE_CREATE")).d
    return message


async def test_bot_reads_only_content_that_is_addressed_to_it(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bot = await world.bot("bot", "alice", guild)
    await world.bot("reader", "alice", guild)
    restricted, bob = await world.online("bot", "bob", intents=WITHOUT_CONTENT)
    [reader] = await world.online("reader", intents=WITHOUT_CONTENT | int(Intents.MESSAGE_CONTENT))
    alice = guild.owner.rest
    path = f"/channels/{guild.general.id}/messages"

    secret = await alice.post(path, {"content": "secret", "embeds": [{"title": "secret"}]})
    assert await next_message(restricted) == like(
        id=secret["id"], content="", embeds=[], author=like(id=guild.owner.id)
    )
    for client in (bob, reader):
        assert await next_message(client) == like(content="secret", embeds=[like(title="secret")])
    await alice.patch(f"{path}/{secret['id']}", {"content": "still secret"})
    assert (await restricted.next("MESSAGE_UPDATE")).d == like(content="")
    assert (await reader.next("MESSAGE_UPDATE")).d == like(content="still secret")

    to_bot = await alice.post(path, {"content": f"<@{bot.id}> listen"})
    assert await next_message(restricted) == like(content=f"<@{bot.id}> listen")
    answer = {"content": "and that", "message_reference": {"message_id": to_bot["id"]}}
    await alice.post(path, {**answer, "allowed_mentions": {"parse": []}})
    answered = await next_message(restricted)
    assert answered["content"] == ""
    assert answered["referenced_message"] == like(id=to_bot["id"], content="")

    await bot.rest.post(path, {"content": "mine"})
    assert await next_message(restricted) == like(content="mine")


async def test_bot_reads_content_in_private_channels(world: World) -> None:
    guild = await world.guild(owner="alice")
    alice, bot = guild.owner, await world.bot("bot", "alice", guild)
    [client] = await world.online("bot", intents=WITHOUT_CONTENT)
    channel = await alice.rest.post("/users/@me/channels", {"recipient_id": bot.id})
    await alice.rest.post(f"/channels/{channel['id']}/messages", {"content": "secret"})
    assert await next_message(client) == like(content="secret")


async def test_bot_receives_no_channel_create_for_private_channels(world: World) -> None:
    guild = await world.guild(owner="alice")
    alice, bot = guild.owner, await world.bot("bot", "alice", guild)
    [client] = await world.online("bot", intents=WITHOUT_CONTENT)
    channel = await alice.rest.post("/users/@me/channels", {"recipient_id": bot.id})
    await alice.rest.post(f"/channels/{channel['id']}/messages", {"content": "secret"})
    first = await client.next_of("CHANNEL_CREATE", "MESSAGE_CREATE")
    assert first.t == "MESSAGE_CREATE"


async def test_replay_to_a_bot_hides_content(world: World) -> None:
    guild = await world.guild(owner="alice")
    await world.bot("bot", "alice", guild)
    [client] = await world.online("bot", intents=WITHOUT_CONTENT)
    await client.cut()
    await guild.owner.rest.post(f"/channels/{guild.general.id}/messages", {"content": "away"})
    client = await world.resumed("bot", client)
    assert await next_message(client) == like(content="")
    await client.next("RESUMED")


@pytest.mark.parametrize("intent", [0, int(Intents.GUILD_MEMBERS)])
async def test_bot_without_members_intent_receives_only_its_own_member(
    world: World, intent: int
) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bot = await world.bot("bot", "alice")
    [joining] = await world.online("bot", intents=int(Intents.GUILDS) | intent)
    await guild.owner.rest.put(f"/guilds/{guild.id}/members/{bot.id}")
    joined = (await joining.next("GUILD_CREATE")).d
    client = await world.socket()
    await client.send(
        2, {"token": bot.token, "properties": {}, "intents": int(Intents.GUILDS) | intent}
    )
    started = (await client.next("GUILD_CREATE")).d
    for state in (joined, started):
        ids = [each["user"]["id"] for each in state["members"]]
        assert (len(ids), state["member_count"]) == (3 if intent else 1, 3)
        assert bot.id in ids
        assert state["large"] == (not intent)

"""Reactions: all six routes, and what they show."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

import pytest

from chatd.core.permissions import Permissions
from tests.world import Guild, World, like

THUMB, HEART = "👍🏽", "❤️"


def path(guild: Guild, message: dict[str, str], emoji: str = "", who: str = "") -> str:
    base = f"/channels/{guild.general.id}/messages/{message['id']}/reactions"
    return base + (f"/{quote(emoji)}" if emoji else "") + (f"/{who}" if who else "")


async def sent(guild: Guild) -> dict[str, str]:
    body = {"content": "react to this"}
    message: dict[str, str] = await guild.owner.rest.post(
        f"/channels/{guild.general.id}/messages", body
    )
    return message


async def test_reacting_and_taking_it_back(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    message = await sent(guild)
    [client] = await world.online("alice")
    own = path(guild, message, THUMB, "@me")
    assert (await bob.rest.call("PUT", own)).status == 204
    added = (await client.next("MESSAGE_REACTION_ADD")).d
    assert added == like(
        user_id=bob.id,
        message_id=message["id"],
        channel_id=guild.general.id,
        guild_id=guild.id,
        message_author_id=guild.owner.id,
        emoji={"id": None, "name": THUMB, "animated": False},
    )
    assert added["member"]["user"]["id"] == bob.id
    await bob.rest.put(own)  # again: nothing happens
    assert await client.heard_before_fence() == []
    message_path = f"/channels/{guild.general.id}/messages/{message['id']}"
    [shown] = (await bob.rest.get(message_path))["reactions"]
    assert shown == like(count=1, me=True)
    [shown] = (await guild.owner.rest.get(message_path))["reactions"]
    assert shown == like(count=1, me=False)
    users = await bob.rest.get(path(guild, message, THUMB))
    assert [user["id"] for user in users] == [bob.id]
    await bob.rest.delete(own)
    removed = (await client.next("MESSAGE_REACTION_REMOVE")).d
    assert removed == like(user_id=bob.id, message_id=message["id"])
    assert "reactions" not in await bob.rest.get(message_path)


async def test_reacting_twice_at_once_counts_once(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    message = await sent(guild)
    own = path(guild, message, HEART, "@me")
    await asyncio.gather(
        *(world.rest(name).put(own) for name in ("alice", "bob", "carol") for _ in range(3))
    )
    [page] = await world.rest("bob").get(f"/channels/{guild.general.id}/messages")
    assert page["reactions"][0] == like(count=3, me=True)
    people = await world.people("alice", "bob", "carol")
    ids = sorted((person.id for person in people), key=int)
    everyone = path(guild, message, HEART)
    first = await world.rest("bob").get(f"{everyone}?limit=2")
    assert [user["id"] for user in first] == ids[:2]
    rest = await world.rest("bob").get(f"{everyone}?limit=2&after={ids[1]}")
    assert [user["id"] for user in rest] == ids[2:]


async def test_only_moderators_take_away_what_others_gave(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    bob = await world.person("bob")
    message = await sent(guild)
    await bob.rest.put(path(guild, message, THUMB, "@me"))
    for where in (
        path(guild, message, THUMB, bob.id),
        path(guild, message, THUMB),
        path(guild, message),
    ):
        assert (await world.rest("carol").call("DELETE", where)).code == 50013
    [client] = await world.online("carol")
    await guild.owner.rest.delete(path(guild, message, THUMB, bob.id))
    await client.next("MESSAGE_REACTION_REMOVE")
    await bob.rest.put(path(guild, message, THUMB, "@me"))
    await bob.rest.put(path(guild, message, HEART, "@me"))
    await guild.owner.rest.delete(path(guild, message, THUMB))
    assert (await client.next("MESSAGE_REACTION_REMOVE_EMOJI")).d["emoji"]["name"] == THUMB
    await guild.owner.rest.delete(path(guild, message))
    assert (await client.next("MESSAGE_REACTION_REMOVE_ALL")).d == {
        "channel_id": guild.general.id,
        "message_id": message["id"],
        "guild_id": guild.id,
    }


async def test_who_may_not_add_may_still_join_in(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    message = await sent(guild)
    deny = str(int(Permissions.ADD_REACTIONS))
    await guild.owner.rest.put(
        f"/channels/{guild.general.id}/permissions/{guild.id}", {"type": 0, "deny": deny}
    )
    own = path(guild, message, THUMB, "@me")
    assert (await world.rest("bob").call("PUT", own)).code == 50013
    await guild.owner.rest.put(own)
    await world.rest("bob").put(own)
    carol = await world.person("carol")
    assert (await carol.rest.call("PUT", own)).code == 50001


async def test_twenty_emojis_and_no_more(world: World) -> None:
    guild = await world.guild(owner="alice")
    message = await sent(guild)
    for number in range(20):
        await guild.owner.rest.put(path(guild, message, chr(0x1F600 + number), "@me"))
    more = await guild.owner.rest.call("PUT", path(guild, message, "🦆", "@me"))
    assert (more.status, more.code) == (400, 30010)


@pytest.mark.parametrize("emoji", ["a", "👍👍", "duck:123", "%00", "1", "👍" * 40])
async def test_what_is_no_emoji(world: World, emoji: str) -> None:
    guild = await world.guild(owner="alice")
    message = await sent(guild)
    base = f"/channels/{guild.general.id}/messages/{message['id']}/reactions/{emoji}/@me"
    answer = await guild.owner.rest.call("PUT", base)
    assert (answer.status, answer.code) == (404, 10014)


async def test_a_deleted_message_takes_its_reactions_along(world: World) -> None:
    guild = await world.guild(owner="alice")
    message = await sent(guild)
    own = path(guild, message, THUMB, "@me")
    await guild.owner.rest.put(own)
    await guild.owner.rest.delete(f"/channels/{guild.general.id}/messages/{message['id']}")
    for method in ("PUT", "DELETE"):
        assert (await guild.owner.rest.call(method, own)).code == 10008

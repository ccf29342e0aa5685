"""Reactions: all six routes, and their events."""

from __future__ import annotations

import asyncio

import pytest

from chatd.core.permissions import Permissions
from tests.helpers.reactions import create_message, reaction_path
from tests.world import World, like

THUMB, HEART = "👍🏽", "❤️"


async def test_adding_and_removing_a_reaction(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    message = await create_message(guild)
    [client] = await world.online("alice")
    own = reaction_path(guild, message, THUMB, "@me")
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
    await bob.rest.put(own)  # added already: no effect
    assert await client.received_before_fence() == []
    message_path = f"/channels/{guild.general.id}/messages/{message['id']}"
    [shown] = (await bob.rest.get(message_path))["reactions"]
    assert shown == like(count=1, me=True)
    [shown] = (await guild.owner.rest.get(message_path))["reactions"]
    assert shown == like(count=1, me=False)
    users = await bob.rest.get(reaction_path(guild, message, THUMB))
    assert [user["id"] for user in users] == [bob.id]
    await bob.rest.delete(own)
    removed = (await client.next("MESSAGE_REACTION_REMOVE")).d
    assert removed == like(user_id=bob.id, message_id=message["id"])
    assert "reactions" not in await bob.rest.get(message_path)


async def test_concurrent_equal_reactions_count_once(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    message = await create_message(guild)
    own = reaction_path(guild, message, HEART, "@me")
    await asyncio.gather(
        *(world.rest(name).put(own) for name in ("alice", "bob", "carol") for _ in range(3))
    )
    [page] = await world.rest("bob").get(f"/channels/{guild.general.id}/messages")
    assert page["reactions"][0] == like(count=3, me=True)
    people = await world.people("alice", "bob", "carol")
    ids = sorted((person.id for person in people), key=int)
    everyone = reaction_path(guild, message, HEART)
    first = await world.rest("bob").get(f"{everyone}?limit=2")
    assert [user["id"] for user in first] == ids[:2]
    rest = await world.rest("bob").get(f"{everyone}?limit=2&after={ids[1]}")
    assert [user["id"] for user in rest] == ids[2:]


async def test_only_moderators_remove_reactions_of_others(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    bob = await world.person("bob")
    message = await create_message(guild)
    await bob.rest.put(reaction_path(guild, message, THUMB, "@me"))
    for where in (
        reaction_path(guild, message, THUMB, bob.id),
        reaction_path(guild, message, THUMB),
        reaction_path(guild, message),
    ):
        assert (await world.rest("carol").call("DELETE", where)).code == 50013
    [client] = await world.online("carol")
    await guild.owner.rest.delete(reaction_path(guild, message, THUMB, bob.id))
    await client.next("MESSAGE_REACTION_REMOVE")
    await bob.rest.put(reaction_path(guild, message, THUMB, "@me"))
    await bob.rest.put(reaction_path(guild, message, HEART, "@me"))
    await guild.owner.rest.delete(reaction_path(guild, message, THUMB))
    assert (await client.next("MESSAGE_REACTION_REMOVE_EMOJI")).d["emoji"]["name"] == THUMB
    await guild.owner.rest.delete(reaction_path(guild, message))
    assert (await client.next("MESSAGE_REACTION_REMOVE_ALL")).d == {
        "channel_id": guild.general.id,
        "message_id": message["id"],
        "guild_id": guild.id,
    }


async def test_existing_emoji_needs_no_add_reactions(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    message = await create_message(guild)
    deny = str(int(Permissions.ADD_REACTIONS))
    await guild.owner.rest.put(
        f"/channels/{guild.general.id}/permissions/{guild.id}", {"type": 0, "deny": deny}
    )
    own = reaction_path(guild, message, THUMB, "@me")
    assert (await world.rest("bob").call("PUT", own)).code == 50013
    await guild.owner.rest.put(own)
    await world.rest("bob").put(own)
    carol = await world.person("carol")
    assert (await carol.rest.call("PUT", own)).code == 50001


async def test_message_has_at_most_twenty_emojis(world: World) -> None:
    guild = await world.guild(owner="alice")
    message = await create_message(guild)
    for number in range(20):
        await guild.owner.rest.put(reaction_path(guild, message, chr(0x1F600 + number), "@me"))
    more = await guild.owner.rest.call("PUT", reaction_path(guild, message, "🦆", "@me"))
    assert (more.status, more.code) == (400, 30010)


async def test_clients_of_people_put_the_type_of_a_reaction_after_its_emoji(world: World) -> None:
    """As endcord and Discord's clients do; 0 is a normal reaction."""
    guild = await world.guild(owner="alice", members=["bob"])
    bob, message = await world.person("bob"), await create_message(guild)
    whole = f"/channels/{guild.general.id}/messages/{message['id']}/reactions/{THUMB}"
    for person in (bob, guild.owner):
        await person.rest.put(f"{whole}/0/%40me?location=Message&type=0")
    assert len(await bob.rest.get(whole)) == 2
    await bob.rest.delete(f"{whole}/0/@me?location=Message%20Inline%20Button&burst=false")
    refused = await bob.rest.call("DELETE", f"{whole}/0/{guild.owner.id}")
    assert (refused.status, refused.code) == (403, 50013)
    assert [each["id"] for each in await bob.rest.get(whole)] == [guild.owner.id]
    assert (await bob.rest.call("PUT", f"{whole}/1/@me")).status == 404


@pytest.mark.parametrize("emoji", ["a", "👍👍", "duck:123", "%00", "1", "👍" * 40])
async def test_unknown_emoji_is_rejected(world: World, emoji: str) -> None:
    guild = await world.guild(owner="alice")
    message = await create_message(guild)
    base = f"/channels/{guild.general.id}/messages/{message['id']}/reactions/{emoji}/@me"
    answer = await guild.owner.rest.call("PUT", base)
    assert (answer.status, answer.code) == (404, 10014)


async def test_deleting_a_message_deletes_its_reactions(world: World) -> None:
    guild = await world.guild(owner="alice")
    message = await create_message(guild)
    own = reaction_path(guild, message, THUMB, "@me")
    await guild.owner.rest.put(own)
    await guild.owner.rest.delete(f"/channels/{guild.general.id}/messages/{message['id']}")
    for method in ("PUT", "DELETE"):
        assert (await guild.owner.rest.call(method, own)).code == 10008


async def test_reactions_are_counted_once_beside_a_reply(world: World) -> None:
    guild = await world.guild(owner="alice")
    rest, path = guild.owner.rest, f"/channels/{guild.general.id}/messages"
    message = await create_message(guild)
    await rest.put(reaction_path(guild, message, "👍", "@me"))
    reference = {"message_reference": {"message_id": message["id"]}}
    for text in ("first", "second"):
        await rest.post(path, {"content": text, **reference})
    page = await rest.get(path)
    shown = [page[2], page[0]["referenced_message"], page[1]["referenced_message"]]
    assert [each["reactions"][0]["count"] for each in shown] == [1, 1, 1]

"""Mentions in messages: users, roles, everyone, replies, and allowed_mentions."""

from __future__ import annotations

from typing import Any

import pytest

from chatd.core.permissions import EVERYONE, Permissions
from tests.helpers.roles import create_role
from tests.world import World, like


def ids(message: dict[str, Any]) -> list[str]:
    return [user["id"] for user in message["mentions"]]


async def test_mention_contains_the_user_and_its_member(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob, carol = await world.people("bob", "carol")
    [client] = await world.online("bob")
    path = f"/channels/{guild.general.id}/messages"
    text = f"<@{bob.id}> <@!{bob.id}> <@{carol.id}> <@1>"
    sent = await guild.owner.rest.post(path, {"content": text})
    assert ids(sent) == [bob.id, carol.id]  # once each, in the order of the text, if they exist
    received = (await client.next("MESSAGE_CREATE")).d
    assert received["mentions"][0] == like(id=bob.id, member=like(nick=None, roles=[]))
    assert "member" not in received["mentions"][1]  # she is no member of this guild
    [stored] = await guild.owner.rest.get(path)
    assert stored == sent


async def test_mentions_of_roles_and_everyone(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    rest, bob = guild.owner.rest, world.rest("bob")
    path = f"/channels/{guild.general.id}/messages"
    open_role, shut_role = await create_role(guild, "open"), await create_role(guild, "shut")
    await rest.patch(f"/guilds/{guild.id}/roles/{open_role}", {"mentionable": True})
    text = f"<@&{open_role}> <@&{shut_role}> @everyone"
    sent = await bob.post(path, {"content": text})
    assert sent == like(mention_roles=[open_role, shut_role], mention_everyone=True)
    without = int(EVERYONE & ~Permissions.MENTION_EVERYONE)
    await rest.patch(f"/guilds/{guild.id}/roles/{guild.id}", {"permissions": str(without)})
    sent = await bob.post(path, {"content": text})
    assert sent == like(mention_roles=[open_role], mention_everyone=False, content=text)


async def test_allowed_mentions_restrict_mentions(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    bob, carol = await world.people("bob", "carol")
    rest, path = guild.owner.rest, f"/channels/{guild.general.id}/messages"
    role = await create_role(guild, "role")
    text = f"<@{bob.id}> <@{carol.id}> <@&{role}> @here"
    for allowed, users, roles, everyone in (
        (None, [bob.id, carol.id], [role], True),
        ({}, [], [], False),
        ({"parse": []}, [], [], False),
        ({"parse": ["everyone"]}, [], [], True),
        ({"parse": ["users"]}, [bob.id, carol.id], [], False),
        ({"users": [carol.id], "parse": ["roles"]}, [carol.id], [role], False),
        ({"roles": [role]}, [], [role], False),
        ({"users": [guild.owner.id]}, [], [], False),  # not in the text
    ):
        sent = await rest.post(path, {"content": text, "allowed_mentions": allowed})
        assert (ids(sent), sent["mention_roles"]) == (users, roles), allowed
        assert sent["mention_everyone"] is everyone, allowed


async def test_reply_mentions_the_author_unless_disabled(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    rest, path = guild.owner.rest, f"/channels/{guild.general.id}/messages"
    bob = await world.person("bob")
    question = await bob.rest.post(path, {"content": "?"})
    reply = {"content": "!", "message_reference": {"message_id": question["id"]}}
    assert ids(await rest.post(path, reply)) == [bob.id]
    assert ids(await rest.post(path, {**reply, "allowed_mentions": {"parse": ["users"]}})) == []
    allowed = {"replied_user": True}
    sent = await rest.post(path, {**reply, "allowed_mentions": allowed})
    assert ids(sent) == [bob.id]
    edited = await rest.patch(f"{path}/{sent['id']}", {"content": "still"})
    assert ids(edited) == [bob.id]
    assert ids(await bob.rest.post(path, reply)) == []  # a reply to oneself


async def test_edit_replaces_mentions(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    bob, carol = await world.people("bob", "carol")
    [client] = await world.online("bob")
    rest, path = guild.owner.rest, f"/channels/{guild.general.id}/messages"
    sent = await rest.post(path, {"content": f"<@{bob.id}>"})
    edited = await rest.patch(f"{path}/{sent['id']}", {"content": f"<@{carol.id}> @everyone"})
    assert ids(edited) == [carol.id]
    assert edited["mention_everyone"] is True
    received = (await client.next("MESSAGE_UPDATE")).d
    assert received["mentions"] == [like(id=carol.id, member=like(nick=None))]
    flagged = await rest.patch(f"{path}/{sent['id']}", {"flags": 4})
    assert ids(flagged) == [carol.id]


@pytest.mark.parametrize(
    "allowed",
    [
        {"parse": ["nobody"]},
        {"parse": ["users"], "users": ["1"]},
        {"users": ["x"]},
        {"roles": ["1"] * 101},
        {"parse": "users"},
        [],
    ],
    ids=repr,
)
async def test_invalid_allowed_mentions_are_rejected(world: World, allowed: object) -> None:
    guild = await world.guild(owner="alice")
    answer = await guild.owner.rest.call(
        "POST",
        f"/channels/{guild.general.id}/messages",
        {"content": "x", "allowed_mentions": allowed},
    )
    assert (answer.status, answer.code) == (400, 50035)
    assert "allowed_mentions" in answer.json["errors"]


async def test_edit_can_remove_the_mention_of_a_reply(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    path = f"/channels/{guild.general.id}/messages"
    asked = await guild.owner.rest.post(path, {"content": "a question"})
    reference = {"message_id": asked["id"]}
    reply = await bob.rest.post(path, {"content": "an answer", "message_reference": reference})
    assert [user["id"] for user in reply["mentions"]] == [guild.owner.id]
    quiet = {"content": "an answer!", "allowed_mentions": {"replied_user": False}}
    assert (await bob.rest.patch(f"{path}/{reply['id']}", quiet))["mentions"] == []

"""AutoModeration of messages: what is blocked, and what is exempt."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chatd.core.permissions import Permissions
from tests.helpers.attachments import guild_with_member, message_form, send_form
from tests.helpers.automod import EXECUTED, add_rule, contents, is_blocked, say
from tests.helpers.commands import Commands
from tests.helpers.interactions import Received
from tests.helpers.rest_client import Answer
from tests.helpers.roles import assign_roles, create_role
from tests.world import World, like


async def test_keyword_blocks_new_messages_and_edits(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    [alice] = await world.online("alice")
    made = await add_rule(guild, keyword_filter=["bad*"], allow_list=["badge"])
    first = await say(world, "bob", guild, "a badge")
    assert first.status == 200
    assert is_blocked(await say(world, "bob", guild, "so Badly"))
    executed = (await alice.next(EXECUTED)).d
    assert executed == {
        "guild_id": guild.id,
        "action": {"type": 1, "metadata": {}},
        "rule_id": made["id"],
        "rule_trigger_type": 1,
        "user_id": (await world.person("bob")).id,
        "channel_id": guild.general.id,
        "content": "so Badly",
        "matched_keyword": "bad*",
        "matched_content": "Bad",
    }
    path = f"/channels/{guild.general.id}/messages/{first.json['id']}"
    edited = await world.rest("bob").call("PATCH", path, {"content": "bad"})
    assert is_blocked(edited)
    assert (await alice.next(EXECUTED)).d == like(content="bad")
    assert (await world.rest("bob").call("PATCH", path, {"content": "good"})).status == 200
    embed = {"embeds": [{"title": "x", "fields": [{"name": "n", "value": "bad"}]}]}
    assert is_blocked(await world.rest("bob").call("PATCH", path, embed))
    assert is_blocked(await say(world, "bob", guild, "", **embed))
    assert await contents(guild) == ["good"]
    # What is blocked leaves no message, and takes nothing from the order of the rest.
    assert (await say(world, "bob", guild, "next")).status == 200
    assert await contents(guild) == ["good", "next"]


async def test_names_and_descriptions_of_files_are_screened(world: World) -> None:
    guild, path, bob = await guild_with_member(world)
    await add_rule(guild, keyword_filter=["bad"])

    async def send(
        payload: dict[str, Any], name: str, to: str = path, method: str = "POST"
    ) -> Answer:
        return await send_form(bob.rest, to, message_form(payload, (name, b"1")), method)

    assert is_blocked(await send({}, "a bad file.txt"))
    assert is_blocked(await send({"attachments": [{"id": 0, "filename": "bad.txt"}]}, "x"))
    assert is_blocked(await send({"attachments": [{"id": 0, "description": "bad"}]}, "x"))
    sent = (await send({"content": "look"}, "good.txt")).json
    message, file_id = f"{path}/{sent['id']}", sent["attachments"][0]["id"]
    assert is_blocked(await send({}, "bad.txt", message, "PATCH"))
    twice = [{"id": file_id, "description": "bad"}, {"id": file_id}]
    assert is_blocked(await bob.rest.call("PATCH", message, {"attachments": twice}))
    assert await bob.rest.get(message) == like(edited_timestamp=None, content="look")


async def test_text_of_the_rule_is_the_error(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    block = {"type": 1, "metadata": {"custom_message": "Be kind."}}
    await add_rule(guild, 1, block, keyword_filter=["bad"])
    answer = await say(world, "bob", guild, "bad")
    assert (answer.status, answer.json) == (400, {"code": 200000, "message": "Be kind."})


async def test_change_of_a_rule_counts_at_once(world: World, other: World) -> None:
    """Also on the other instance, which has cached the permissions and the rules."""
    guild = await world.guild(owner="alice", members=["bob"])
    path = f"/guilds/{guild.id}/auto-moderation/rules"
    for there in (world, other):
        assert (await say(there, "bob", guild, "bad")).status == 200
    made = await add_rule(guild, keyword_filter=["bad"])
    for there in (world, other):
        assert is_blocked(await say(there, "bob", guild, "bad"))
    change = {"trigger_metadata": {"keyword_filter": ["worse"]}}
    await guild.owner.rest.patch(f"{path}/{made['id']}", change)
    for there in (world, other):
        assert (await say(there, "bob", guild, "bad")).status == 200
        assert is_blocked(await say(there, "bob", guild, "worse"))
    await guild.owner.rest.patch(f"{path}/{made['id']}", {"enabled": False})
    for there in (world, other):
        assert (await say(there, "bob", guild, "worse")).status == 200
    await guild.owner.rest.patch(f"{path}/{made['id']}", {"enabled": True})
    for there in (world, other):
        assert is_blocked(await say(there, "bob", guild, "worse"))
    await guild.owner.rest.delete(f"{path}/{made['id']}")
    for there in (world, other):
        assert (await say(there, "bob", guild, "worse")).status == 200


async def test_rules_need_no_query_for_a_message(world: World, statements: list[str]) -> None:
    """The first message after a change reads them; a message is the insert alone."""
    guild = await world.guild(owner="alice", members=["bob"])
    assert (await say(world, "bob", guild, "one")).status == 200
    statements.clear()
    assert (await say(world, "bob", guild, "two")).status == 200
    without = list(statements)
    await add_rule(guild, keyword_filter=["bad"], regex_patterns=["x{3}"])
    await add_rule(guild, 3)
    assert (await say(world, "bob", guild, "three")).status == 200
    statements.clear()
    assert (await say(world, "bob", guild, "four")).status == 200
    assert statements == without
    assert len(without) == 1


async def test_managers_bots_webhooks_and_exempt_members_are_not_screened(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol", "dave"])
    friend = await create_role(guild, "friend")
    manager = await create_role(guild, "manager", int(Permissions.MANAGE_GUILD))
    await assign_roles(world, guild, "carol", friend)
    await assign_roles(world, guild, "dave", manager)
    side = await guild.channel("side")
    await add_rule(guild, keyword_filter=["bad"], exempt_roles=[friend], exempt_channels=[side.id])
    bot = await world.bot("bot", "alice", guild)
    for name in ("alice", "carol", "dave"):
        assert (await say(world, name, guild, "bad")).status == 200
    messages = f"/channels/{guild.general.id}/messages"
    assert (await bot.rest.call("POST", messages, {"content": "bad"})).status == 200
    hook = await guild.owner.rest.post(f"/channels/{guild.general.id}/webhooks", {"name": "Hook"})
    sent = await world.anonymous.call(
        "POST", f"/webhooks/{hook['id']}/{hook['token']}", {"content": "bad"}
    )
    assert sent.status == 204
    in_side = {"content": "bad"}
    bob = world.rest("bob")
    assert (await bob.call("POST", f"/channels/{side.id}/messages", in_side)).status == 200
    assert is_blocked(await say(world, "bob", guild, "bad"))


@pytest.mark.parametrize(
    ("trigger_type", "fields", "bad", "good"),
    [
        (1, {"regex_patterns": [r"\d{3}-\d{3}"]}, "call 555-123", "call 55-123"),
        (1, {"regex_patterns": ["(?i)c[a4]t"], "allow_list": ["cat"]}, "C4T", "a Cat"),
        (3, {}, "buy now " * 20, "buy now " * 5),
        (3, {}, " ".join(f"https://{n}.example" for n in range(9)), "https://a.example"),
        (4, {"presets": [1]}, "what bullshit", "shitake mushrooms"),
        (4, {"presets": [2], "allow_list": ["porn*"]}, "nudes", "pornography laws"),
        (4, {"presets": []}, None, "bullshit"),
        (5, {"mention_total_limit": 2}, "<@1> <@2> <@&3>", "<@1> <@1> <@&3>"),
        (5, {"mention_total_limit": 0}, "<@1>", "@everyone `<@1>`"),
        (5, {"mention_total_limit": None}, " ".join(f"<@{n}>" for n in range(1, 22)), "<@1>"),
    ],
)
async def test_each_trigger_finds_what_it_describes(
    world: World, trigger_type: int, fields: dict[str, Any], bad: str | None, good: str
) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    await add_rule(guild, trigger_type, **fields)
    if bad is not None:
        assert is_blocked(await say(world, "bob", guild, bad))
    assert (await say(world, "bob", guild, good)).status == 200


async def test_repeated_message_is_spam(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    await add_rule(guild, 3)
    answers = [await say(world, "bob", guild, f"Join  my server{n * ' '}") for n in range(5)]
    assert [is_blocked(each) for each in answers] == [False] * 4 + [True]
    assert (await say(world, "carol", guild, "join my server")).status == 200
    assert (await say(world, "bob", guild, "something else")).status == 200


async def test_mentions_of_new_members_together_are_a_raid(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    await add_rule(guild, 5, mention_total_limit=50, mention_raid_protection_enabled=True)
    many = " ".join(f"<@{n}>" for n in range(1, 16))
    for name in ("bob", "carol"):
        assert (await say(world, name, guild, many)).status == 200
    assert is_blocked(await say(world, "bob", guild, "<@1>"))
    assert (await say(world, "bob", guild, "hello")).status == 200


async def test_application_of_a_user_does_not_evade_the_rules(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bot, bob = await world.bot("bot", "bob"), await world.person("bob")
    command_id = await Commands(bot).add("anywhere", integration_types=[1], contexts=[0, 1, 2])
    path = f"/oauth2/authorize?client_id={bot.id}&scope=applications.commands&integration_type=1"
    await bob.rest.post(path, {"authorize": True})
    await add_rule(guild, keyword_filter=["bad"])
    [client] = await world.online("bot")
    body = {
        "type": 2,
        "application_id": bot.id,
        "guild_id": guild.id,
        "channel_id": guild.general.id,
        "data": {"id": command_id, "name": "anywhere", "type": 1},
    }
    await bob.rest.post("/interactions", body)
    received = Received((await client.next("INTERACTION_CREATE")).d, world.anonymous)
    bad = {"type": 4, "data": {"content": "bad"}}
    assert is_blocked(await received.try_to_respond(bad))
    await received.respond(4, content="good")
    followed = f"/webhooks/{bot.id}/{received.token}"
    assert is_blocked(await world.anonymous.call("POST", followed, {"content": "bad"}))
    edited = await world.anonymous.call(
        "PATCH", f"{followed}/messages/@original", {"content": "so bad"}
    )
    assert is_blocked(edited)
    whispered = {"content": "bad", "flags": 64}
    assert (await world.anonymous.call("POST", followed, whispered)).status == 200
    assert await contents(guild) == []  # the response is of another type
    shown = await guild.owner.rest.get(f"/channels/{guild.general.id}/messages")
    assert [each["content"] for each in shown] == ["good"]


async def test_concurrent_messages_and_rule_changes_agree(world: World, other: World) -> None:
    """A message that is stored was allowed by the rules at its commit."""
    guild = await world.guild(owner="alice", members=["bob"])
    made = await add_rule(guild, keyword_filter=["other"])
    path = f"/guilds/{guild.id}/auto-moderation/rules/{made['id']}"
    change = {"trigger_metadata": {"keyword_filter": ["bad"]}}
    sending = [say(there, "bob", guild, "bad") for there in (world, other) * 2]
    [changed, *answers] = await asyncio.gather(guild.owner.rest.patch(path, change), *sending)
    assert changed["trigger_metadata"]["keyword_filter"] == ["bad"]
    stored = await guild.owner.rest.get(f"/channels/{guild.general.id}/messages")
    assert len(stored) == sum(answer.status == 200 for answer in answers)
    assert all(answer.status == 200 or is_blocked(answer) for answer in answers)

"""AutoModeration of messages: what is blocked, reported and exempt."""

from __future__ import annotations

import asyncio
from typing import Any

import discord
import pytest

from chatd.core.ids import UserId
from chatd.core.permissions import Permissions
from chatd.queries import account_rows
from chatd.web.keys import DEPENDENCIES
from tests.conftest import Server
from tests.helpers.attachments import guild_with_member, message_form, send_form
from tests.helpers.automod import BLOCK, add_rule, alert
from tests.helpers.commands import Commands
from tests.helpers.discord_py import running
from tests.helpers.interactions import Received
from tests.helpers.rest_client import Answer
from tests.helpers.roles import assign_roles, create_role
from tests.world import Guild, World, like

EXECUTED = "AUTO_MODERATION_ACTION_EXECUTION"


async def say(world: World, name: str, guild: Guild, content: str, **fields: Any) -> Answer:
    path = f"/channels/{guild.general.id}/messages"
    return await world.rest(name).call("POST", path, {"content": content, **fields})


def is_blocked(answer: Answer) -> bool:
    return answer.status == 400 and answer.code == 200000


async def contents(guild: Guild) -> list[str]:
    """Return the texts in the channel, oldest first."""
    found = await guild.owner.rest.get(f"/channels/{guild.general.id}/messages")
    return [each["content"] for each in reversed(found) if each["type"] in (0, 19)]


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


async def test_alert_shows_the_message_in_its_channel(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    hidden = {"id": guild.id, "type": 0, "deny": str(Permissions.VIEW_CHANNEL.value)}
    staff = await guild.channel("staff", permission_overwrites=[hidden])
    made = await add_rule(guild, 1, alert(staff.id), BLOCK, keyword_filter=["bad"])
    [alice, bob] = await world.online("alice", "bob")
    assert is_blocked(await say(world, "bob", guild, "a Bad day", nonce="1"))
    shown = (await alice.next("MESSAGE_CREATE")).d
    bob_id = (await world.person("bob")).id
    assert shown == like(type=24, content="", channel_id=staff.id, author=like(id=bob_id))
    [embed] = shown["embeds"]
    assert embed == like(type="auto_moderation_message", description="a Bad day")
    fields = {each["name"]: each["value"] for each in embed["fields"]}
    assert fields == like(
        rule_name="words",
        channel_id=guild.general.id,
        decision_outcome="blocked",
        keyword="bad",
        keyword_matched_content="Bad",
    )
    first, second = [(await alice.next(EXECUTED)).d for _ in "12"]
    assert first == like(action=alert(staff.id), alert_system_message_id=shown["id"])
    assert second == like(action={"type": 1, "metadata": {}}, rule_id=made["id"])
    assert await guild.owner.rest.get(f"/channels/{staff.id}/messages") == [like(id=shown["id"])]
    names = {each.t for each in await bob.received_before_fence()}
    assert names.isdisjoint({EXECUTED, "MESSAGE_CREATE"})
    # It can be deleted like other messages, but not edited.
    path = f"/channels/{staff.id}/messages/{shown['id']}"
    assert (await guild.owner.rest.call("PATCH", path, {"flags": 4})).code == 50021
    everyone = [{"id": guild.id, "type": 0, "allow": "0", "deny": "0"}]
    change = {"permission_overwrites": everyone}
    await guild.owner.rest.patch(f"/channels/{staff.id}", change)
    assert (await world.rest("bob").call("DELETE", path)).code == 50013  # it is no message of bob's
    await guild.owner.rest.delete(path)
    await guild.owner.rest.delete(f"/channels/{staff.id}")
    assert is_blocked(await say(world, "bob", guild, "bad"))  # without its channel, no alert
    assert (await alice.next(EXECUTED)).d == like(action={"type": 1, "metadata": {}})


async def test_export_of_the_author_lacks_what_moderators_see(world: World, server: Server) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    staff = await guild.channel("staff")
    await add_rule(guild, 1, alert(staff.id), BLOCK, name="secret rule", keyword_filter=["bad*"])
    assert (await say(world, "bob", guild, "a good day")).status == 200
    assert is_blocked(await say(world, "bob", guild, "badly"))
    bob_id = UserId(int((await world.person("bob")).id))
    found: list[str] = []
    async with server.runner.app[DEPENDENCIES].database.cursor() as cur:
        for table in ("messages", "audit_logs"):
            for page in range(await account_rows.pages(cur, table)):
                own, _ = await account_rows.read(cur, table, bob_id, first_page=page, after=None)
                found += own
    assert any("a good day" in each for each in found)
    assert not [each for each in found if "secret rule" in each]


async def test_text_of_a_channel_stays_with_those_who_see_it(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    role = await create_role(guild, "managers", Permissions.MANAGE_GUILD.value)
    await assign_roles(world, guild, "carol", role)
    carol = await world.person("carol")
    hidden = {"id": carol.id, "type": 1, "deny": str(Permissions.VIEW_CHANNEL.value)}
    private = await guild.channel("private", permission_overwrites=[hidden])
    await add_rule(guild, keyword_filter=["bad"])
    [alice, watching] = await world.online("alice", "carol")
    path = f"/channels/{private.id}/messages"
    assert is_blocked(await world.rest("bob").call("POST", path, {"content": "bad secret"}))
    assert (await alice.next(EXECUTED)).d == like(content="bad secret")
    assert EXECUTED not in {each.t for each in await watching.received_before_fence()}
    assert is_blocked(await say(world, "bob", guild, "bad"))
    assert (await watching.next(EXECUTED)).d == like(content="bad")


async def test_flagged_message_is_sent(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    await add_rule(guild, 1, alert(guild.general.id), keyword_filter=["odd"])
    [alice] = await world.online("alice")
    sent = await say(world, "bob", guild, "an odd text")
    assert sent.status == 200
    executed = (await alice.next(EXECUTED)).d
    assert executed == like(message_id=sent.json["id"], matched_content="odd")
    [flagged, shown] = reversed(
        await guild.owner.rest.get(f"/channels/{guild.general.id}/messages")
    )
    assert flagged == like(id=sent.json["id"], content="an odd text")
    assert shown == like(id=executed["alert_system_message_id"], type=24)
    path = f"/channels/{guild.general.id}/messages/{sent.json['id']}"
    assert (await world.rest("bob").call("PATCH", path, {"content": "odd!"})).status == 200
    assert (await alice.next(EXECUTED)).d == like(message_id=sent.json["id"], content="odd!")


async def test_author_is_timed_out(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    timeout = {"type": 3, "metadata": {"duration_seconds": 600}}
    await add_rule(guild, 1, BLOCK, timeout, keyword_filter=["bad"])
    [alice] = await world.online("alice")
    bob = await world.person("bob")
    answer = await bob.rest.call(
        "POST",
        f"/channels/{guild.general.id}/messages",
        {"content": "bad"},
        headers={"X-Audit-Log-Reason": "invented"},
    )
    assert is_blocked(answer)
    assert (await alice.next("GUILD_MEMBER_UPDATE")).d["communication_disabled_until"] is not None
    answer = await say(world, "bob", guild, "good")
    assert (answer.status, answer.code) == (403, 50013)
    log = await guild.owner.rest.get(f"/guilds/{guild.id}/audit-logs?limit=2")
    options = {
        "auto_moderation_rule_name": "words",
        "auto_moderation_rule_trigger_type": "1",
        "channel_id": guild.general.id,
    }
    entries = log["audit_log_entries"]
    assert [each["action_type"] for each in entries] == [145, 143]
    for entry in entries:
        assert entry == like(target_id=bob.id, options=options)
        assert "reason" not in entry


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


async def test_bot_without_message_content_gets_no_content(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bot = await world.bot("bot", "alice", guild)
    role = await create_role(guild, "manager", int(Permissions.MANAGE_GUILD))
    await guild.owner.rest.put(f"/guilds/{guild.id}/members/{bot.id}/roles/{role}")
    await add_rule(guild, keyword_filter=["bad"])
    without = 1 | 1 << 21
    [reader] = await world.online("bot", intents=without | 1 << 15)
    [blind] = await world.online("bot", intents=without)
    assert is_blocked(await say(world, "bob", guild, "bad words"))
    shown = (await reader.next(EXECUTED)).d
    assert shown == like(content="bad words", matched_content="bad", matched_keyword="bad")
    hidden = {"content": "", "matched_content": "", "matched_keyword": "bad"}
    assert (await blind.next(EXECUTED)).d == {**shown, **hidden}


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


async def test_discord_py_creates_a_rule_and_hears_of_its_actions(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bot = await world.bot("bot", "alice", guild)
    needed = Permissions.MANAGE_GUILD | Permissions.VIEW_CHANNEL | Permissions.VIEW_AUDIT_LOG
    role = await create_role(guild, "manager", int(needed))
    await guild.owner.rest.put(f"/guilds/{guild.id}/members/{bot.id}/roles/{role}")
    async with running(bot.token, monkeypatch, world) as client:
        there = client.get_guild(int(guild.id))
        assert there is not None
        created = asyncio.create_task(client.wait_for("automod_rule_create", timeout=60))
        acted = asyncio.create_task(client.wait_for("automod_action", timeout=60))
        alerted = asyncio.create_task(client.wait_for("message", timeout=60))
        await asyncio.sleep(0)
        rule = await there.create_automod_rule(
            name="words",
            event_type=discord.AutoModRuleEventType.message_send,
            trigger=discord.AutoModTrigger(keyword_filter=["bad*"], regex_patterns=["x{3}"]),
            actions=[
                discord.AutoModRuleAction(channel_id=int(guild.general.id)),
                discord.AutoModRuleAction(custom_message="No."),
            ],
            enabled=True,
        )
        assert (await created).id == rule.id
        answer = await say(world, "bob", guild, "badly")
        assert (answer.code, answer.json["message"]) == (200000, "No.")
        action = await acted
        assert (action.rule_id, action.matched_keyword, action.content) == (
            rule.id,
            "bad*",
            "badly",
        )
        message = await alerted
        assert message.type is discord.MessageType.auto_moderation_action
        assert message.embeds[0].description == "badly"
        assert [each.id for each in await there.fetch_automod_rules()] == [rule.id]
        edited = await rule.edit(enabled=False)
        assert edited.enabled is False
        await rule.delete()
        assert await there.fetch_automod_rules() == []
        actions = [entry.action async for entry in there.audit_logs(limit=5)]
        assert discord.AuditLogAction.automod_block_message in actions

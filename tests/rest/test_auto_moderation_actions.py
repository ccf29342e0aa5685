"""Actions of AutoModeration: what a rule does with a message, and to whom that is shown."""

from __future__ import annotations

import asyncio

import discord
import pytest

from chatd.core.ids import UserId
from chatd.core.permissions import Permissions
from chatd.queries import account_rows
from chatd.web.keys import DEPENDENCIES
from tests.conftest import Server
from tests.helpers.automod import BLOCK, EXECUTED, add_rule, alert, is_blocked, say
from tests.helpers.discord_py import running
from tests.helpers.roles import assign_roles, create_role
from tests.world import World, like


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

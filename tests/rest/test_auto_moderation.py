"""Rules of AutoModeration: creating, changing and deleting them."""

from __future__ import annotations

from typing import Any

import pytest

from chatd.core.permissions import Permissions
from tests.helpers.automod import BLOCK, add_rule, alert, rule
from tests.helpers.roles import assign_roles, create_role
from tests.world import Guild, World, like

CONFIGURATION = {
    "AUTO_MODERATION_RULE_CREATE",
    "AUTO_MODERATION_RULE_UPDATE",
    "AUTO_MODERATION_RULE_DELETE",
}


def rules_of(guild: Guild) -> str:
    return f"/guilds/{guild.id}/auto-moderation/rules"


async def test_rule_is_created_changed_and_deleted(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    [alice, bob] = await world.online("alice", "bob")
    rest, path = guild.owner.rest, rules_of(guild)
    made = await rest.post(
        path,
        {
            "name": "words",
            "event_type": 1,
            "trigger_type": 1,
            "trigger_metadata": {"keyword_filter": ["bad*"], "allow_list": None},
            "actions": [{"type": 1, "metadata": {"custom_message": "No."}}],
            "exempt_roles": [guild.id],
            "exempt_channels": None,
        },
    )
    assert made == like(
        guild_id=guild.id,
        creator_id=guild.owner.id,
        name="words",
        event_type=1,
        trigger_type=1,
        trigger_metadata={"keyword_filter": ["bad*"], "regex_patterns": [], "allow_list": []},
        actions=[{"type": 1, "metadata": {"custom_message": "No."}}],
        enabled=False,
        exempt_roles=[guild.id],
        exempt_channels=[],
    )
    assert (await alice.next("AUTO_MODERATION_RULE_CREATE")).d == made
    assert await rest.get(path) == [made]
    assert await rest.get(f"{path}/{made['id']}") == made
    change = {"enabled": True, "trigger_metadata": {"allow_list": ["badge"]}, "trigger_type": 1}
    changed = await rest.patch(f"{path}/{made['id']}", change)
    metadata = {**made["trigger_metadata"], "allow_list": ["badge"]}
    assert changed == {**made, "enabled": True, "trigger_metadata": metadata}
    assert (await alice.next("AUTO_MODERATION_RULE_UPDATE")).d == changed
    assert await rest.patch(f"{path}/{made['id']}", {}) == changed
    await rest.delete(f"{path}/{made['id']}")
    assert (await alice.next("AUTO_MODERATION_RULE_DELETE")).d == changed
    assert await rest.get(path) == []
    for method in ("GET", "PATCH", "DELETE"):
        answer = await rest.call(method, f"{path}/{made['id']}", {} if method == "PATCH" else None)
        assert (answer.status, answer.code) == (404, 0)
    assert CONFIGURATION.isdisjoint(each.t for each in await bob.received_before_fence())


async def test_events_of_rules_need_their_intent(world: World) -> None:
    guild = await world.guild(owner="alice")
    [with_intent] = await world.online("alice", intents=1 | 1 << 20)
    [without] = await world.online("alice", intents=1 | 1 << 21)
    made = await add_rule(guild, keyword_filter=["bad"])
    assert (await with_intent.next("AUTO_MODERATION_RULE_CREATE")).d == made
    assert await without.received_before_fence() == []


async def test_rules_are_in_the_audit_log(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    auditor = await create_role(guild, "auditor", int(Permissions.VIEW_AUDIT_LOG))
    await assign_roles(world, guild, "bob", auditor)
    rest, path = guild.owner.rest, rules_of(guild)
    words = [f"word{number}" for number in range(30)]
    made = await add_rule(guild, keyword_filter=words)
    await rest.patch(f"{path}/{made['id']}", {"trigger_metadata": {"keyword_filter": ["word1"]}})
    log = await rest.get(f"/guilds/{guild.id}/audit-logs")
    updated, created = log["audit_log_entries"][:2]
    assert [each["action_type"] for each in (updated, created)] == [141, 140]
    assert {each["key"] for each in updated["changes"]} == {"$remove_keyword_filter"}
    added = next(each for each in created["changes"] if each["key"] == "$add_keyword_filter")
    assert added["new_value"] == words[:20]
    assert [each["id"] for each in log["auto_moderation_rules"]] == [made["id"]]
    # The words of the rule are for those who may read the rule.
    log = await world.rest("bob").get(f"/guilds/{guild.id}/audit-logs")
    assert log["auto_moderation_rules"] == []
    await rest.delete(f"{path}/{made['id']}")
    log = await rest.get(f"/guilds/{guild.id}/audit-logs?action_type=142")
    assert log["audit_log_entries"] == [like(target_id=made["id"], user_id=guild.owner.id)]
    assert log["auto_moderation_rules"] == []


@pytest.mark.parametrize(("trigger_type", "limit"), [(1, 6), (3, 1), (4, 1), (5, 1)])
async def test_number_of_rules_is_limited(world: World, trigger_type: int, limit: int) -> None:
    guild = await world.guild(owner="alice")
    for _ in range(limit):
        await add_rule(guild, trigger_type)
    answer = await guild.owner.rest.call("POST", rules_of(guild), rule(trigger_type))
    assert (answer.status, answer.code) == (400, 50035)
    [error] = answer.json["errors"]["trigger_type"]["_errors"]
    assert error["code"] == "AUTO_MODERATION_MAX_RULES_OF_TYPE_EXCEEDED"


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (rule(6), ["trigger_type"]),
        (rule(2), ["trigger_type"]),
        (rule(event_type=2), ["event_type"]),
        (rule(name=""), ["name"]),
        (rule(name="x" * 101), ["name"]),
        ({**rule(), "actions": []}, ["actions"]),
        (rule(1, {"type": 4}), ["actions", "0", "type"]),
        (rule(1, BLOCK, BLOCK), ["actions", "1", "type"]),
        (rule(1, {"type": 2}), ["actions", "0", "metadata", "channel_id"]),
        (rule(1, alert("1")), ["actions", "0", "metadata", "channel_id"]),
        (rule(1, {"type": 3}), ["actions", "0", "metadata", "duration_seconds"]),
        (
            rule(1, {"type": 3, "metadata": {"duration_seconds": 2419201}}),
            ["actions", "0", "metadata", "duration_seconds"],
        ),
        (
            rule(1, {"type": 1, "metadata": {"duration_seconds": 1}}),
            ["actions", "0", "metadata", "duration_seconds"],
        ),
        (rule(3, {"type": 3, "metadata": {"duration_seconds": 1}}), ["actions", "0", "type"]),
        (
            rule(1, {"type": 1, "metadata": {"custom_message": "x" * 301}}),
            ["actions", "0", "metadata", "custom_message"],
        ),
        (rule(keyword_filter=["x"] * 1001), ["trigger_metadata", "keyword_filter"]),
        (rule(keyword_filter=["x" * 61]), ["trigger_metadata", "keyword_filter", "0"]),
        (rule(keyword_filter=["ok", "**"]), ["trigger_metadata", "keyword_filter", "1"]),
        (rule(keyword_filter=["\u200b"]), ["trigger_metadata", "keyword_filter", "0"]),
        (rule(allow_list=["x"] * 101), ["trigger_metadata", "allow_list"]),
        (rule(4, allow_list=["x"] * 1001), ["trigger_metadata", "allow_list"]),
        (rule(4, presets=[1, 1]), ["trigger_metadata", "presets"]),
        (rule(4, presets=[9]), ["trigger_metadata", "presets", "0"]),
        (rule(4, keyword_filter=["x"]), ["trigger_metadata", "keyword_filter"]),
        (rule(1, presets=[1]), ["trigger_metadata", "presets"]),
        (rule(5, mention_total_limit=51), ["trigger_metadata", "mention_total_limit"]),
        (rule(regex_patterns=["("]), ["trigger_metadata", "regex_patterns", "0"]),
        (rule(regex_patterns=[r"(?=x)"]), ["trigger_metadata", "regex_patterns", "0"]),
        (rule(regex_patterns=[r"(a)\1"]), ["trigger_metadata", "regex_patterns", "0"]),
        (rule(regex_patterns=["(a{30}){90}"]), ["trigger_metadata", "regex_patterns", "0"]),
        (rule(regex_patterns=["x" * 261]), ["trigger_metadata", "regex_patterns", "0"]),
        (rule(regex_patterns=["x"] * 11), ["trigger_metadata", "regex_patterns"]),
        (rule(exempt_roles=["1"]), ["exempt_roles"]),
        (rule(exempt_channels=["1"]), ["exempt_channels"]),
        (rule(exempt_roles=[str(n) for n in range(21)]), ["exempt_roles"]),
        (rule(exempt_channels=[str(n) for n in range(51)]), ["exempt_channels"]),
    ],
)
async def test_bad_rule_is_refused(stage: Guild, body: dict[str, Any], place: list[str]) -> None:
    answer = await stage.owner.rest.call("POST", rules_of(stage), body)
    assert (answer.status, answer.code) == (400, 50035)
    found = answer.json["errors"]
    for key in place:
        found = found[key]
    assert found["_errors"]
    assert await stage.owner.rest.get(rules_of(stage)) == []


@pytest.fixture
async def stage(world: World) -> Guild:
    return await world.guild(owner="alice")


async def test_patterns_of_a_guild_are_bounded_together(world: World) -> None:
    guild = await world.guild(owner="alice")
    large = [f"x{number}(a{{30}}){{30}}" for number in range(3)]
    await add_rule(guild, regex_patterns=large)
    answer = await guild.owner.rest.call("POST", rules_of(guild), rule(regex_patterns=large))
    assert answer.status == 400
    [error] = answer.json["errors"]["trigger_metadata"]["regex_patterns"]["_errors"]
    assert "together" in error["message"]


async def test_trigger_of_a_rule_stays(world: World) -> None:
    guild = await world.guild(owner="alice")
    made = await add_rule(guild, keyword_filter=["bad"])
    path = f"{rules_of(guild)}/{made['id']}"
    for change in ({"trigger_type": 3}, {"event_type": 2}):
        answer = await guild.owner.rest.call("PATCH", path, change)
        assert (answer.status, list(answer.json["errors"])) == (400, list(change))
    assert await guild.owner.rest.get(path) == made


async def test_rule_that_times_out_needs_moderate_members(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    manager = await create_role(guild, "manager", int(Permissions.MANAGE_GUILD))
    await assign_roles(world, guild, "bob", manager)
    bob = world.rest("bob")
    timeout = {"type": 3, "metadata": {"duration_seconds": 60}}
    answer = await bob.call("POST", rules_of(guild), rule(1, timeout))
    assert (answer.status, answer.code) == (403, 50013)
    made = await bob.post(rules_of(guild), rule())
    path = f"{rules_of(guild)}/{made['id']}"
    answer = await bob.call("PATCH", path, {"actions": [timeout]})
    assert (answer.status, answer.code) == (403, 50013)
    await guild.owner.rest.patch(path, {"actions": [timeout]})
    # The rule would go on timing members out in the name of the one who enables it.
    answer = await bob.call("PATCH", path, {"enabled": False})
    assert (answer.status, answer.code) == (403, 50013)


async def test_alerts_need_a_channel_that_the_creator_sees(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    manager = await create_role(guild, "manager", int(Permissions.MANAGE_GUILD))
    await assign_roles(world, guild, "bob", manager)
    hidden = {"id": guild.id, "type": 0, "deny": str(Permissions.VIEW_CHANNEL.value)}
    secret = await guild.channel("secret", permission_overwrites=[hidden])
    category = await guild.channel("category", type=4)
    for rest, channel in ((world.rest("bob"), secret), (guild.owner.rest, category)):
        answer = await rest.call("POST", rules_of(guild), rule(1, alert(channel.id)))
        assert answer.status == 400
    other = await world.guild(owner="carol")
    answer = await guild.owner.rest.call("POST", rules_of(guild), rule(1, alert(other.general.id)))
    assert answer.status == 400
    made = await add_rule(guild, 1, alert(secret.id))
    # Later changes do not need the channel, which may have been deleted.
    await guild.owner.rest.delete(f"/channels/{secret.id}")
    path = f"{rules_of(guild)}/{made['id']}"
    assert await world.rest("bob").patch(path, {"name": "new"}) == {**made, "name": "new"}


async def test_rules_of_another_guild_are_unknown(world: World) -> None:
    guild = await world.guild(owner="alice")
    other = await world.guild(owner="bob")
    made = await add_rule(guild, keyword_filter=["bad"])
    path = f"{rules_of(other)}/{made['id']}"
    for method in ("GET", "PATCH", "DELETE"):
        body = {"name": "x"} if method == "PATCH" else None
        answer = await world.rest("bob").call(method, path, body)
        assert answer.status == 404
    assert await guild.owner.rest.get(rules_of(guild)) == [made]

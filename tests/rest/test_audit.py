"""The audit log: each moderation action has an entry with its changes and its reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chatd.core.audit import AuditAction as A
from chatd.core.permissions import Permissions
from chatd.rest.table import table
from tests.helpers.routes import COMMAND_PERMISSIONS, RouteStage, route_stage
from tests.world import World, like

WHY = "because, and ärger"


@dataclass(frozen=True)
class Act:
    """A moderation route with its request and its expected entry."""

    route: str
    action: A
    target: str | None
    """The name of the id that is the target of the entry."""
    body: Any = None
    changes: tuple[str, ...] = ()
    """The changed keys."""
    options: tuple[str, ...] = ()
    first: str = ""
    """An action that has to precede it."""


ACTS = [
    Act("PATCH /guilds/{guild_id}", A.GUILD_UPDATE, "guild_id", {"name": "new"}, ("name",)),
    Act(
        "PUT /guilds/{guild_id}/incident-actions",
        A.GUILD_UPDATE,
        "guild_id",
        {"dms_disabled_until": (datetime.now(UTC) + timedelta(hours=1)).isoformat()},
        ("incidents_data",),
    ),
    Act(
        "POST /guilds/{guild_id}/channels", A.CHANNEL_CREATE, None, {"name": "x"}, ("name", "type")
    ),
    Act("PATCH /channels/{channel_id}", A.CHANNEL_UPDATE, "channel_id", {"topic": "x"}, ("topic",)),
    Act(
        "PATCH /guilds/{guild_id}/channels",
        A.CHANNEL_UPDATE,
        "channel_id",
        [{"id": "{channel_id}", "position": 7}],
        ("position",),
    ),
    Act("DELETE /channels/{channel_id}", A.CHANNEL_DELETE, "channel_id", None, ("name", "type")),
    Act(
        "PUT /channels/{channel_id}/permissions/{target_id}",
        A.CHANNEL_OVERWRITE_UPDATE,
        "channel_id",
        {"type": 0, "deny": "2048"},
        ("deny",),
        ("id", "type"),
    ),
    Act(
        "DELETE /channels/{channel_id}/permissions/{target_id}",
        A.CHANNEL_OVERWRITE_DELETE,
        "channel_id",
        None,
        ("allow", "deny", "type"),
        ("id", "type"),
    ),
    Act("DELETE /guilds/{guild_id}/members/{user_id}", A.MEMBER_KICK, "user_id"),
    Act("PUT /guilds/{guild_id}/bans/{user_id}", A.MEMBER_BAN_ADD, "user_id", {}),
    Act(
        "POST /guilds/{guild_id}/bulk-ban",
        A.MEMBER_BAN_ADD,
        "user_id",
        {"user_ids": ["{user_id}"]},
    ),
    Act(
        "DELETE /guilds/{guild_id}/bans/{user_id}",
        A.MEMBER_BAN_REMOVE,
        "user_id",
        first="PUT /guilds/{guild_id}/bans/{user_id}",
    ),
    Act(
        "PATCH /guilds/{guild_id}/members/{user_id}",
        A.MEMBER_UPDATE,
        "user_id",
        {"nick": "x"},
        ("nick",),
    ),
    Act(
        "PUT /guilds/{guild_id}/members/{user_id}/roles/{role_id}",
        A.MEMBER_ROLE_UPDATE,
        "user_id",
        None,
        ("$add",),
    ),
    Act(
        "DELETE /guilds/{guild_id}/members/{user_id}/roles/{role_id}",
        A.MEMBER_ROLE_UPDATE,
        "user_id",
        None,
        ("$remove",),
        first="PUT /guilds/{guild_id}/members/{user_id}/roles/{role_id}",
    ),
    Act("POST /guilds/{guild_id}/roles", A.ROLE_CREATE, None, {"name": "x"}, ("name", "color")),
    Act(
        "PATCH /guilds/{guild_id}/roles/{role_id}",
        A.ROLE_UPDATE,
        "role_id",
        {"name": "x", "hoist": True},
        ("name", "hoist"),
    ),
    Act(
        "PATCH /guilds/{guild_id}/roles",
        A.ROLE_UPDATE,
        "role_id",
        [{"id": "{role_id}", "position": 5}],
        ("position",),
    ),
    Act("DELETE /guilds/{guild_id}/roles/{role_id}", A.ROLE_DELETE, "role_id", None, ("name",)),
    Act(
        "POST /channels/{channel_id}/invites", A.INVITE_CREATE, None, {"max_age": 60}, ("max_age",)
    ),
    Act("DELETE /invites/{code}", A.INVITE_DELETE, None, None, ("code", "channel_id")),
    Act(
        "POST /guilds/{guild_id}/auto-moderation/rules",
        A.AUTO_MODERATION_RULE_CREATE,
        None,
        {
            "name": "x",
            "event_type": 1,
            "trigger_type": 1,
            "trigger_metadata": {"keyword_filter": ["bad"]},
        },
        ("name", "event_type", "trigger_type", "actions", "$add_keyword_filter"),
    ),
    Act(
        "PATCH /guilds/{guild_id}/auto-moderation/rules/{rule_id}",
        A.AUTO_MODERATION_RULE_UPDATE,
        "rule_id",
        {"enabled": True, "trigger_metadata": {"mention_total_limit": 9}},
        ("enabled", "trigger_metadata"),
    ),
    Act(
        "DELETE /guilds/{guild_id}/auto-moderation/rules/{rule_id}",
        A.AUTO_MODERATION_RULE_DELETE,
        "rule_id",
        None,
        ("name", "trigger_metadata"),
    ),
    Act(
        "POST /channels/{channel_id}/webhooks",
        A.WEBHOOK_CREATE,
        None,
        {"name": "x"},
        ("name", "type", "channel_id"),
        ("channel_id",),
    ),
    Act(
        "PATCH /webhooks/{webhook_id}",
        A.WEBHOOK_UPDATE,
        "webhook_id",
        {"name": "x"},
        ("name",),
        ("channel_id",),
    ),
    Act(
        "DELETE /webhooks/{webhook_id}",
        A.WEBHOOK_DELETE,
        "webhook_id",
        None,
        ("name", "type", "channel_id"),
        ("channel_id",),
    ),
    Act(
        "DELETE /channels/{channel_id}/messages/{message_id}",
        A.MESSAGE_DELETE,
        "author_id",
        None,
        (),
        ("channel_id", "count"),
    ),
    Act(
        "POST /channels/{channel_id}/messages/bulk-delete",
        A.MESSAGE_BULK_DELETE,
        "channel_id",
        {"messages": ["{message_id}", "{other_message_id}"]},
        (),
        ("count",),
    ),
    *(
        Act(
            f"{method} /channels/{{channel_id}}/{pins}/{{message_id}}",
            action,
            "author_id",
            None,
            (),
            ("channel_id", "message_id"),
            first=first and f"{first} /channels/{{channel_id}}/{pins}/{{message_id}}",
        )
        for pins in ("pins", "messages/pins")
        for method, action, first in (
            ("PUT", A.MESSAGE_PIN, ""),
            ("DELETE", A.MESSAGE_UNPIN, "PUT"),
        )
    ),
]

ELSEWHERE = {
    "POST /channels/{channel_id}/followers",  # test_announcement_channels
    "PUT /guilds/{guild_id}/members/{user_id}",  # bots: test_applications
    "DELETE /guilds/{guild_id}/integrations/{integration_id}",  # test_integrations
    "POST /guilds/{guild_id}/prune",  # test_pruning
    f"PUT {COMMAND_PERMISSIONS}",  # test_command_permissions
}

NO_MODERATION = {
    "PATCH /guilds/{guild_id}/members/@me",  # the own nickname
    "PATCH /guilds/{guild_id}/widget",  # which stays disabled
    "POST /channels/{channel_id}/messages",
    "POST /channels/{channel_id}/attachments",
    "PATCH /channels/{channel_id}/messages/{message_id}",
    "POST /channels/{channel_id}/messages/{message_id}/ack",
    "POST /channels/{channel_id}/typing",
    "POST /channels/{channel_id}/messages/{message_id}/crosspost",
    # Discord records no entries for reactions.
    "PUT /channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me",
    "DELETE /channels/{channel_id}/messages/{message_id}/reactions",
    "DELETE /channels/{channel_id}/messages/{message_id}/reactions/{emoji}",
    "DELETE /channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me",
    "DELETE /channels/{channel_id}/messages/{message_id}/reactions/{emoji}/{user_id}",
}


def test_every_moderation_route_is_tested() -> None:
    changing = {
        f"{route.method} {route.path}"
        for route in table()
        if isinstance(route.needs, Permissions) and route.method != "GET"
    }
    assert changing == {act.route for act in ACTS} | ELSEWHERE | NO_MODERATION


def filled(value: Any, fill: Callable[[str], str]) -> Any:
    """Return a body with the ids of the stage."""
    match value:
        case str():
            return fill(value)
        case dict():
            return {key: filled(each, fill) for key, each in value.items()}
        case list():
            return [filled(each, fill) for each in value]
        case _:
            return value


async def scene(world: World) -> RouteStage:
    """A stage with messages of bob, who has no permissions."""
    made = await route_stage(world, everyone=Permissions.VIEW_CHANNEL | Permissions.SEND_MESSAGES)
    bob = await world.person("bob")
    await made.guild.admit(bob)
    path = f"/channels/{made.guild.general.id}/messages"
    for key in ("message_id", "other_message_id"):
        made.names[key] = (await bob.rest.post(path, {"content": key}))["id"]
    made.names["author_id"] = bob.id
    return made


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.route)
async def test_action_has_an_entry(world: World, act: Act) -> None:
    there = await scene(world)
    guild, names = there.guild, there.names
    rest = guild.owner.rest

    async def call(route: str, body: Any, headers: dict[str, str]) -> Any:
        method, _, path = route.partition(" ")
        body = filled(body, lambda text: text.format(**names))
        answer = await rest.call(method, path.format(**names), body, headers=headers)
        assert 200 <= answer.status < 300, answer.raw
        return answer

    if act.first:
        await call(act.first, {} if "bans" in act.first else None, {})
    alice, bob = await world.online("alice", "bob")
    why = {"X-Audit-Log-Reason": WHY.replace("ä", "%C3%A4")}
    answer = await call(act.route, act.body, why)
    event = (await alice.next("GUILD_AUDIT_LOG_ENTRY_CREATE")).d
    log = (await rest.get(f"/guilds/{guild.id}/audit-logs"))["audit_log_entries"]
    entry = log[0]
    assert event == {**entry, "guild_id": guild.id}
    assert entry == like(action_type=act.action, user_id=guild.owner.id, reason=WHY)
    if act.target is not None:
        assert entry["target_id"] == names[act.target]
    elif "invite" not in act.route:
        assert entry["target_id"] == answer.json["id"]
    changed = {each["key"]: each for each in entry.get("changes", ())}
    assert changed.keys() >= set(act.changes), changed
    assert set(entry.get("options") or ()) == set(act.options)
    for each in changed.values():
        assert each.get("old_value") != each.get("new_value")
        if act.route.startswith("POST"):
            assert "old_value" not in each
        elif act.route.startswith("DELETE") and act.action != A.MEMBER_ROLE_UPDATE:
            assert "new_value" not in each
    # Members without VIEW_AUDIT_LOG get no event.
    received = [event.t for event in await bob.received_before_fence()]
    assert "GUILD_AUDIT_LOG_ENTRY_CREATE" not in received


async def test_refused_action_has_no_entry(world: World) -> None:
    there = await scene(world)
    path = f"/guilds/{there.guild.id}/audit-logs"
    before = await there.guild.owner.rest.get(path)
    for act in ACTS:
        method, _, template = act.route.partition(" ")
        body = filled(act.body, lambda text: text.format(**there.names))
        if "/messages/{message_id}" in act.route and method == "DELETE":
            continue  # it is the own nickname of bob
        url = template.format(**there.names)
        answer = await world.rest("bob").call(method, url, body)
        assert answer.status in (403, 404), (act.route, answer.raw)
    assert await there.guild.owner.rest.get(path) == before


async def test_own_nickname_change_has_an_entry(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    for member, nick in (("@me", "one"), (bob.id, "two")):
        await bob.rest.patch(f"/guilds/{guild.id}/members/{member}", {"nick": nick})
        log = await guild.owner.rest.get(f"/guilds/{guild.id}/audit-logs?limit=1")
        [entry] = log["audit_log_entries"]
        assert entry == like(action_type=A.MEMBER_UPDATE, user_id=bob.id, target_id=bob.id)
        assert [each["new_value"] for each in entry["changes"]] == [nick]

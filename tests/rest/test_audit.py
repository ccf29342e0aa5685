"""The audit log: each act of moderation has its entry, with what was and what is, and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from chatd.core.models import AuditAction as A
from chatd.core.permissions import Permissions
from chatd.rest import routes
from tests.rest.test_who_may import Stage, stage
from tests.world import World, like

WHY = "because, and ärger"


@dataclass(frozen=True)
class Act:
    """A route that moderates, what it is called with, and what its entry says."""

    route: str
    action: A
    target: str | None
    """The name of the id that the entry is about."""
    body: Any = None
    changes: tuple[str, ...] = ()
    """The keys that have changed."""
    options: tuple[str, ...] = ()
    first: str = ""
    """Another act that has to go before."""


ACTS = [
    Act("PATCH /guilds/{guild_id}", A.GUILD_UPDATE, "guild_id", {"name": "new"}, ("name",)),
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
    "PUT /guilds/{guild_id}/members/{user_id}",  # bots: test_applications
    "POST /guilds/{guild_id}/prune",  # test_pruning
}
NO_MODERATION = {
    "PATCH /guilds/{guild_id}/members/@me",  # what oneself is called
    "POST /channels/{channel_id}/messages",
    "PATCH /channels/{channel_id}/messages/{message_id}",
    "POST /channels/{channel_id}/messages/{message_id}/ack",
    "POST /channels/{channel_id}/typing",
    # Discord keeps no entries of what is done to reactions.
    "PUT /channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me",
    "DELETE /channels/{channel_id}/messages/{message_id}/reactions",
    "DELETE /channels/{channel_id}/messages/{message_id}/reactions/{emoji}",
    "DELETE /channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me",
    "DELETE /channels/{channel_id}/messages/{message_id}/reactions/{emoji}/{user_id}",
}


def test_every_route_that_needs_a_permission_and_changes_something_is_here() -> None:
    changing = {
        f"{route.method} {route.path}"
        for route in routes.table()
        if isinstance(route.needs, Permissions) and route.method != "GET"
    }
    assert changing == {act.route for act in ACTS} | ELSEWHERE | NO_MODERATION


def filled(value: Any, fill: Callable[[str], str]) -> Any:
    """A body with its ids."""
    match value:
        case str():
            return fill(value)
        case dict():
            return {key: filled(each, fill) for key, each in value.items()}
        case list():
            return [filled(each, fill) for each in value]
        case _:
            return value


async def scene(world: World) -> Stage:
    """A stage with what bob, who may do nothing, has written."""
    made = await stage(world, everyone=Permissions.VIEW_CHANNEL | Permissions.SEND_MESSAGES)
    bob = await world.person("bob")
    await made.guild.admit(bob)
    path = f"/channels/{made.guild.general.id}/messages"
    for key in ("message_id", "other_message_id"):
        made.names[key] = (await bob.rest.post(path, {"content": key}))["id"]
    made.names["author_id"] = bob.id
    return made


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.route)
async def test_an_act_has_its_entry(world: World, act: Act) -> None:
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
    told = (await alice.next("GUILD_AUDIT_LOG_ENTRY_CREATE")).d
    log = (await rest.get(f"/guilds/{guild.id}/audit-logs"))["audit_log_entries"]
    entry = log[0]
    assert told == {**entry, "guild_id": guild.id}
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
    # Who may not read the log hears nothing of it.
    heard = [event.t for event in await bob.heard_before_fence()]
    assert "GUILD_AUDIT_LOG_ENTRY_CREATE" not in heard


async def test_what_is_refused_has_no_entry(world: World) -> None:
    there = await scene(world)
    path = f"/guilds/{there.guild.id}/audit-logs"
    before = await there.guild.owner.rest.get(path)
    for act in ACTS:
        method, _, template = act.route.partition(" ")
        body = filled(act.body, lambda text: text.format(**there.names))
        if "/messages/{message_id}" in act.route and method == "DELETE":
            continue  # it is bob's own
        url = template.format(**there.names)
        answer = await world.rest("bob").call(method, url, body)
        assert answer.status in (403, 404), (act.route, answer.raw)
    assert await there.guild.owner.rest.get(path) == before

"""Overwrites: the limit for all channels of a guild, and existing targets."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from chatd.services.access import overwrites
from tests.conftest import repository
from tests.helpers.roles import create_role
from tests.world import Guild, World

CATEGORY = 4
UNKNOWN = "4"


def of(*targets: str, kind: int = 0) -> list[dict[str, Any]]:
    """Return overwrites without effect, for these targets."""
    return [{"id": target, "type": kind, "allow": "0", "deny": "0"} for target in targets]


async def counted(guild: Guild) -> int:
    """Return how many overwrites the channels of a guild have together."""
    channels = await guild.owner.rest.get(f"/guilds/{guild.id}/channels")
    return sum(len(channel["permission_overwrites"]) for channel in channels)


async def test_every_write_of_overwrites_is_bounded_by_the_guild(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overwrites, "MAX_IN_GUILD", 6)
    guild = await world.guild(owner="alice")
    roles = [await create_role(guild, f"role {number}") for number in range(4)]
    category = await guild.channel("category", type=CATEGORY, permission_overwrites=of(*roles))
    apart = await guild.channel("apart", permission_overwrites=of(roles[0]))
    assert await counted(guild) == 5
    path = f"/guilds/{guild.id}/channels"
    ways: list[tuple[str, str, Any]] = [
        ("POST", path, {"name": "new", "permission_overwrites": of(*roles[:2])}),
        ("POST", path, {"name": "copied", "parent_id": category.id}),
        ("PATCH", f"/channels/{apart.id}", {"permission_overwrites": of(*roles)}),
        (
            "PATCH",
            path,
            [{"id": apart.id, "parent_id": category.id, "lock_permissions": True}],
        ),
    ]
    for method, where, body in ways:
        answer = await guild.owner.rest.call(method, where, body)
        assert (answer.status, answer.code) == (400, 30060), (method, where)
        assert await counted(guild) == 5
    permissions = f"/channels/{apart.id}/permissions"
    await guild.owner.rest.put(f"{permissions}/{roles[1]}", {"type": 0, "allow": "1024"})
    answer = await guild.owner.rest.call("PUT", f"{permissions}/{roles[2]}", {"type": 0})
    assert (answer.status, answer.code) == (400, 30060)
    assert await counted(guild) == 6
    # Changes without growth are permitted: new bits, or another target.
    await guild.owner.rest.put(f"{permissions}/{roles[1]}", {"type": 0, "deny": "1024"})
    await guild.owner.rest.patch(
        f"/channels/{apart.id}", {"permission_overwrites": of(roles[2], roles[3])}
    )
    assert await counted(guild) == 6


async def test_guild_above_the_limit_may_shrink_and_change(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    guild = await world.guild(owner="alice")
    roles = [await create_role(guild, f"role {number}") for number in range(4)]
    channel = await guild.channel("full", permission_overwrites=of(*roles))
    monkeypatch.setattr(overwrites, "MAX_IN_GUILD", 2)
    monkeypatch.setattr(overwrites, "MAX_OVERWRITES", 2)
    await guild.owner.rest.patch(f"/channels/{channel.id}", {"name": "still full"})
    await guild.owner.rest.patch(
        f"/channels/{channel.id}", {"permission_overwrites": of(*roles[1:])}
    )
    await guild.owner.rest.delete(f"/channels/{channel.id}/permissions/{roles[1]}")
    assert await counted(guild) == 2


async def test_overwrites_require_existing_targets(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    other = await world.guild(owner="carol")
    bob = await world.person("bob")
    foreign = await create_role(other, "foreign")
    role = await create_role(guild, "role")
    channel = await guild.channel("here", permission_overwrites=of(bob.id, kind=1))
    for wrong in (
        of(UNKNOWN),
        of(UNKNOWN, kind=1),
        of(foreign),
        of(role, kind=1),
        of(bob.id),
        of(role) + of(UNKNOWN, kind=1),
    ):
        for method, path, body in (
            ("POST", f"/guilds/{guild.id}/channels", {"name": "new"}),
            ("PATCH", f"/channels/{channel.id}", {}),
        ):
            answer = await guild.owner.rest.call(
                method, path, {**body, "permission_overwrites": wrong}
            )
            assert (answer.status, answer.code) == (404, 10009), (method, wrong)
        for each in wrong[-1:]:
            target = f"/channels/{channel.id}/permissions/{each['id']}"
            answer = await guild.owner.rest.call("PUT", target, {"type": each["type"]})
            assert answer.status == 404
    assert await counted(guild) == 1


async def test_overwrites_of_a_member_that_has_left_are_kept(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    role = await create_role(guild, "role")
    channel = await guild.channel("here", permission_overwrites=of(bob.id, kind=1))
    await bob.rest.delete(f"/users/@me/guilds/{guild.id}")
    wanted = of(bob.id, kind=1) + of(role)
    await guild.owner.rest.patch(f"/channels/{channel.id}", {"permission_overwrites": wanted})
    assert await counted(guild) == 2


async def test_audit_entry_contains_only_changed_overwrites(world: World) -> None:
    guild = await world.guild(owner="alice")
    roles = [await create_role(guild, f"role {number}") for number in range(52)]
    before = of(*roles[:51])
    channel = await guild.channel("here", permission_overwrites=before)
    body = {"permission_overwrites": of(*roles[1:])}
    await guild.owner.rest.patch(f"/channels/{channel.id}", body)
    log = await guild.owner.rest.get(f"/guilds/{guild.id}/audit-logs?limit=2")
    updated, created = [
        next(each for each in entry["changes"] if each["key"] == "permission_overwrites")
        for entry in log["audit_log_entries"]
        if entry["action_type"] in (10, 11)
    ]
    assert created["new_value"] == before[:50]
    assert updated["old_value"] == of(roles[0])
    assert updated["new_value"] == of(roles[51])


def test_only_one_module_writes_overwrites() -> None:
    # So the limits apply to every write of overwrites, future ones included.
    writes = {"insert", "replace_overwrites"}
    for path in (repository() / "chatd").rglob("*.py"):
        if path.name == "overwrites.py" and path.parent.name == "access":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == "channels"
            ):
                assert node.attr not in writes, f"{path.name} line {node.lineno}"

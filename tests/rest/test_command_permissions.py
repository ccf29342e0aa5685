"""Who may use commands in a guild: setting it, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from chatd.core.permissions import Permissions as P
from chatd.services.commands import permissions as service
from tests.helpers.commands import Commands
from tests.helpers.roles import assign_roles, create_role
from tests.world import Answer, Guild, Person, World, like

ROLE, USER, CHANNEL = 1, 2, 3


def overwrite(target: object, kind: int, permission: bool = True) -> dict[str, Any]:
    return {"id": str(target), "type": kind, "permission": permission}


@dataclass
class Scene:
    """A guild with a bot that has a command."""

    guild: Guild
    bot: Person
    command_id: str

    @property
    def path(self) -> str:
        return f"/applications/{self.bot.id}/guilds/{self.guild.id}/commands"

    async def put(self, *overwrites: Any, command: str = "", by: Person | None = None) -> Answer:
        """Replace the permissions of a command, by default as the owner of the guild."""
        path = f"{self.path}/{command or self.command_id}/permissions"
        caller = by or self.guild.owner
        return await caller.rest.call("PUT", path, {"permissions": overwrites})

    async def get(self, command: str = "") -> Any:
        path = f"{self.path}/{command or self.command_id}/permissions"
        return await self.guild.owner.rest.call("GET", path)


@pytest.fixture
async def scene(world: World) -> Scene:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    bot = await world.bot("bot", "alice", guild)
    return Scene(guild, bot, await Commands(bot).add("ping"))


async def test_setting_and_getting(scene: Scene, world: World) -> None:
    bob = await world.person("bob")
    wanted = [
        overwrite(scene.guild.id, ROLE, False),
        overwrite(bob.id, USER),
        overwrite(scene.guild.general.id, CHANNEL),
        overwrite(int(scene.guild.id) - 1, CHANNEL, False),
    ]
    assert (await scene.get()).code == 10066
    answer = await scene.put(*wanted)
    assert answer.json == {
        "id": scene.command_id,
        "application_id": scene.bot.id,
        "guild_id": scene.guild.id,
        "permissions": wanted,
    }
    assert (await scene.get()).json == answer.json
    assert await scene.bot.rest.get(f"{scene.path}/permissions") == [answer.json]
    everywhere = await scene.put(overwrite(bob.id, USER), command=scene.bot.id)
    assert everywhere.json["id"] == scene.bot.id
    listed = await scene.guild.owner.rest.get(f"{scene.path}/permissions")
    assert sorted(each["id"] for each in listed) == sorted([scene.bot.id, scene.command_id])
    assert (await scene.put()).json["permissions"] == []
    assert (await scene.get()).code == 10066


async def test_bots_cannot_set_permissions(scene: Scene) -> None:
    refused = await scene.put(overwrite(scene.guild.id, ROLE), by=scene.bot)
    assert (refused.status, refused.code) == (403, 20001)


async def test_other_bots_cannot_read_permissions(scene: Scene, world: World) -> None:
    other = await world.bot("other", "alice", scene.guild)
    refused = await other.rest.call("GET", f"{scene.path}/permissions")
    assert (refused.status, refused.code) == (403, 50013)
    stranger = await world.bot("stranger", "alice")
    refused = await stranger.rest.call("GET", f"{scene.path}/permissions")
    assert (refused.status, refused.code) == (403, 50001)


async def test_everyone_in_the_guild_learns_of_it(scene: Scene, world: World) -> None:
    bob, bot = await world.online("bob", "bot", intents=1)
    changed = (await scene.put(overwrite(scene.guild.id, ROLE, False))).json
    for client in (bob, bot):
        assert (await client.next("APPLICATION_COMMAND_PERMISSIONS_UPDATE")).d == changed
    await scene.put(overwrite(scene.guild.id, ROLE, False))  # changes nothing
    assert await bob.received_before_fence() == []


async def test_audit_log(scene: Scene, world: World) -> None:
    bob = await world.person("bob")
    await scene.put(overwrite(bob.id, USER), overwrite(scene.guild.id, ROLE))
    await scene.put(overwrite(bob.id, USER, False))
    log = await scene.guild.owner.rest.get(f"/guilds/{scene.guild.id}/audit-logs?action_type=121")
    second, first = log["audit_log_entries"]
    assert first == like(
        target_id=scene.command_id,
        user_id=scene.guild.owner.id,
        options={"application_id": scene.bot.id},
    )
    assert first["changes"] == [
        {"key": bob.id, "new_value": overwrite(bob.id, USER)},
        {"key": scene.guild.id, "new_value": overwrite(scene.guild.id, ROLE)},
    ]
    assert second["changes"] == [
        {
            "key": bob.id,
            "old_value": overwrite(bob.id, USER),
            "new_value": overwrite(bob.id, USER, False),
        },
        {"key": scene.guild.id, "old_value": overwrite(scene.guild.id, ROLE)},
    ]
    assert [each["id"] for each in log["application_commands"]] == [scene.command_id]


async def test_what_does_not_exist_is_refused(scene: Scene, world: World) -> None:
    other = await world.guild(owner="alice")
    foreign = await Commands(await world.bot("other", "alice", other), other).add("ping")
    assert (await scene.put(command=foreign)).code == 10063
    assert (await scene.put(command="1")).code == 10063
    assert (await scene.put(overwrite(1, ROLE))).code == 10011
    assert (await scene.put(overwrite(1, USER))).code == 10013
    assert (await scene.put(overwrite(other.general.id, CHANNEL))).code == 10003
    await scene.guild.owner.rest.delete(f"/guilds/{scene.guild.id}/members/{scene.bot.id}")
    for method, path in (("GET", "permissions"), ("PUT", f"{scene.command_id}/permissions")):
        body: Any = {"permissions": []} if method == "PUT" else None
        gone = await scene.guild.owner.rest.call(method, f"{scene.path}/{path}", body)
        assert (gone.status, gone.code) == (404, 10002)


async def test_gone_targets_can_stay(scene: Scene) -> None:
    """Clients send all overwrites back, also for a role that has been deleted."""
    role = await create_role(scene.guild, "soon gone")
    await scene.put(overwrite(role, ROLE))
    await scene.guild.owner.rest.delete(f"/guilds/{scene.guild.id}/roles/{role}")
    kept = await scene.put(overwrite(role, ROLE), overwrite(scene.guild.id, ROLE))
    assert kept.status == 200


async def test_limits(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    many = [overwrite(n, USER) for n in range(101)]
    refused = await scene.put(*many)
    [error] = refused.json["errors"]["permissions"]["_errors"]
    assert error["code"] == "BASE_TYPE_MAX_LENGTH"
    twice = await scene.put(overwrite(scene.guild.id, ROLE), overwrite(scene.guild.id, ROLE, False))
    assert twice.code == 50035
    monkeypatch.setattr(service, "MAX_IN_GUILD", 1)
    assert (await scene.put(overwrite(scene.guild.id, ROLE))).status == 200
    everywhere = overwrite(int(scene.guild.id) - 1, CHANNEL)
    assert (await scene.put(overwrite(scene.guild.id, ROLE), everywhere)).code == 30060
    assert (await scene.put(overwrite(scene.guild.id, ROLE, False))).status == 200


MANAGER = P.MANAGE_GUILD | P.MANAGE_ROLES | P.USE_APPLICATION_COMMANDS | P.VIEW_CHANNEL


@dataclass
class Manager:
    """Bob, who may manage the guild and lower roles."""

    scene: Scene
    bob: Person
    higher: str
    lower: str

    async def may(self, *overwrites: Any, command: str = "") -> bool:
        answer = await self.scene.put(*overwrites, command=command, by=self.bob)
        if answer.status == 200:
            return True
        assert (answer.status, answer.code) in ((403, 50013), (403, 50001)), answer.raw
        return False


@pytest.fixture
async def manager(scene: Scene, world: World) -> Manager:
    higher = await create_role(scene.guild, "higher", position=1)
    own = await create_role(scene.guild, "manager", int(MANAGER), position=1)
    lower = await create_role(scene.guild, "lower", position=1)
    await assign_roles(world, scene.guild, "bob", own)
    return Manager(scene, await world.person("bob"), higher, lower)


async def test_managers_set_what_is_below_them(manager: Manager, world: World) -> None:
    guild, carol = manager.scene.guild, await world.person("carol")
    assert await manager.may(overwrite(manager.lower, ROLE))
    assert await manager.may(overwrite(guild.id, ROLE))
    assert await manager.may(overwrite(manager.bob.id, USER))
    assert not await manager.may(overwrite(manager.higher, ROLE))
    assert not await manager.may(overwrite(guild.owner.id, USER))
    assert await manager.may(overwrite(carol.id, USER))
    await assign_roles(world, guild, "carol", manager.higher)
    assert not await manager.may(overwrite(carol.id, USER, False))


async def test_managers_keep_what_they_may_not_change(manager: Manager) -> None:
    await manager.scene.put(overwrite(manager.higher, ROLE))
    assert not await manager.may()
    assert await manager.may(overwrite(manager.higher, ROLE), overwrite(manager.lower, ROLE))


async def test_channels_need_manage_channels(manager: Manager, world: World) -> None:
    guild = manager.scene.guild
    everywhere = int(guild.id) - 1
    hidden = {"id": guild.id, "type": 0, "deny": str(P.VIEW_CHANNEL.value)}
    staff = await guild.channel("staff", permission_overwrites=[hidden])
    for channel in (guild.general.id, staff.id, everywhere):
        assert not await manager.may(overwrite(channel, CHANNEL))
    own = {"type": 1, "allow": str(P.MANAGE_CHANNELS.value)}
    await guild.owner.rest.put(f"/channels/{guild.general.id}/permissions/{manager.bob.id}", own)
    assert await manager.may(overwrite(guild.general.id, CHANNEL))
    assert not await manager.may(overwrite(everywhere, CHANNEL))


async def test_managers_set_only_commands_that_they_can_use(manager: Manager) -> None:
    command = await Commands(manager.scene.bot).add("ban", default_member_permissions="4")
    assert not await manager.may(overwrite(manager.lower, ROLE), command=command)
    await manager.scene.put(overwrite(manager.bob.id, USER), command=command)
    kept = overwrite(manager.bob.id, USER)
    assert await manager.may(kept, overwrite(manager.lower, ROLE), command=command)


@pytest.mark.parametrize("act", ["delete", "rename", "overwrite"])
async def test_permissions_end_with_the_name_of_the_command(scene: Scene, act: str) -> None:
    await scene.put(overwrite(scene.guild.id, ROLE, False))
    commands = Commands(scene.bot)
    if act == "delete":
        await commands.rest.delete(f"{commands.path}/{scene.command_id}")
    elif act == "rename":
        await commands.rest.patch(f"{commands.path}/{scene.command_id}", {"name": "pong"})
    else:
        await commands.rest.put(commands.path, [{"name": "pong", "description": "x"}])
    assert await scene.bot.rest.get(f"{scene.path}/permissions") == []


async def test_permissions_stay_with_other_changes(scene: Scene) -> None:
    await scene.put(overwrite(scene.guild.id, ROLE, False))
    commands = Commands(scene.bot)
    await commands.rest.put(commands.path, [{"name": "ping", "description": "New"}])
    assert (await scene.get()).status == 200


async def test_permissions_end_with_the_installation(scene: Scene) -> None:
    await scene.put(overwrite(scene.guild.id, ROLE, False))
    member = f"/guilds/{scene.guild.id}/members/{scene.bot.id}"
    await scene.guild.owner.rest.delete(member)
    await scene.guild.owner.rest.put(member)
    assert (await scene.get()).code == 10066

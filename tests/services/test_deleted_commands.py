"""Deleted and renamed commands: what refers to them ends before its rows are deleted."""

from __future__ import annotations

from typing import Any

import pytest

from chatd.db.pool import Database
from chatd.services.commands import permissions
from tests.helpers.commands import Commands
from tests.helpers.pending_deletions import Sweep, count
from tests.world import Guild, World, like

PERMISSIONS = "application_command_permissions"


class Scene:
    """A guild in which nobody may use the commands `ping` and `pong` of a bot."""

    def __init__(self, world: World, guild: Guild, commands: Commands) -> None:
        self._world = world
        self.guild = guild
        self.commands = commands
        self.rest = guild.owner.rest

    def path(self, command_id: str = "") -> str:
        scope = f"/applications/{self.commands.bot.id}/guilds/{self.guild.id}/commands"
        return f"{scope}/{command_id}/permissions" if command_id else f"{scope}/permissions"

    async def forbid(self, command_id: str) -> Any:
        """Forbid a command to all members."""
        denied = {"id": self.guild.id, "type": 1, "permission": False}
        return await self.rest.call("PUT", self.path(command_id), {"permissions": [denied]})

    async def permitted(self) -> list[str]:
        """Return the names of the commands that a member may use."""
        path = f"/guilds/{self.guild.id}/application-command-index"
        index = await self._world.rest("bob").get(path)
        return sorted(each["name"] for each in index["application_commands"])

    async def with_permissions(self) -> list[str]:
        """Return the ids of the commands that have permissions."""
        return [each["id"] for each in await self.rest.get(self.path())]


@pytest.fixture
async def scene(world: World, sweep: Sweep) -> Scene:
    """A scene without the background task that deletes rows."""
    await sweep()
    guild = await world.guild(owner="alice", members=["bob"])
    bot = await world.bot("bot", "alice", guild)
    return Scene(world, guild, Commands(bot))


@pytest.mark.parametrize("act", ["delete", "rename", "overwrite", "exchange names"])
async def test_permissions_end_before_their_rows_are_deleted(
    scene: Scene, database: Database, sweep: Sweep, act: str
) -> None:
    commands = scene.commands
    ping, pong = await commands.add("ping"), await commands.add("pong")
    for each in (ping, pong):
        assert (await scene.forbid(each)).status == 200
    assert await scene.permitted() == []
    if act == "delete":
        await commands.rest.delete(f"{commands.path}/{ping}")
    elif act == "rename":
        await commands.rest.patch(f"{commands.path}/{ping}", {"name": "new"})
    elif act == "overwrite":
        await commands.rest.put(commands.path, [{"name": "pong", "description": "x"}])
    else:
        renamed = [{"id": ping, "name": "pong"}, {"id": pong, "name": "ping"}]
        await commands.rest.put(commands.path, [{**each, "description": "x"} for each in renamed])
    left = {"rename": ["new"], "exchange names": ["ping", "pong"]}.get(act, [])
    kept = [] if act == "exchange names" else [pong]
    assert await scene.permitted() == left
    assert await scene.with_permissions() == kept
    code = 10066 if left else 10063
    assert (await scene.rest.call("GET", scene.path(ping))).code == code
    assert await count(database, PERMISSIONS, application_id=int(commands.bot.id)) == 2
    await sweep()
    assert await count(database, PERMISSIONS, application_id=int(commands.bot.id)) == len(kept)
    assert await scene.with_permissions() == kept


async def test_earlier_name_does_not_return_earlier_permissions(scene: Scene) -> None:
    ping = await scene.commands.add("ping")
    await scene.forbid(ping)
    for name in ("new", "ping"):
        await scene.commands.rest.patch(f"{scene.commands.path}/{ping}", {"name": name})
    assert await scene.permitted() == ["ping"]
    assert await scene.with_permissions() == []


async def test_permissions_of_the_new_name_survive_the_deletion(
    scene: Scene, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    ping = await scene.commands.add("ping")
    await scene.forbid(ping)
    await scene.commands.rest.patch(f"{scene.commands.path}/{ping}", {"name": "new"})
    monkeypatch.setattr(permissions, "MAX_IN_GUILD", 1)  # the earlier ones do not count
    assert (await scene.forbid(ping)).status == 200
    await sweep()
    assert await scene.with_permissions() == [ping]
    assert await scene.permitted() == []


async def test_commands_of_a_deleted_application_end_before_their_rows_are_deleted(
    scene: Scene, world: World, database: Database, sweep: Sweep
) -> None:
    bot = scene.commands.bot
    other = Commands(await world.bot("other", "alice", scene.guild), scene.guild)
    here, kept = await Commands(bot, scene.guild).add("here"), await other.add("kept")
    everywhere = await scene.commands.add("everywhere")
    for command in (here, everywhere, bot.id):
        assert (await scene.forbid(command)).status == 200
    await scene.rest.delete(f"/applications/{bot.id}")

    assert await scene.permitted() == ["kept"]
    assert (await scene.rest.call("GET", scene.path())).code == 10002
    log = await scene.rest.get(f"/guilds/{scene.guild.id}/audit-logs?action_type=121")
    assert {each["target_id"] for each in log["audit_log_entries"]} == {here, everywhere, bot.id}
    assert log["application_commands"] == []
    for command in (here, everywhere):
        invocation = {
            "type": 2,
            "application_id": bot.id,
            "guild_id": scene.guild.id,
            "channel_id": scene.guild.general.id,
            "session_id": "0",
            "data": {"id": command, "name": "here", "type": 1},
        }
        refused = await world.rest("bob").call("POST", "/interactions", invocation)
        assert (refused.status, refused.code) == (404, 10002), refused.raw

    tables = ("application_commands", "application_command_scopes", PERMISSIONS)
    key = {"application_id": int(bot.id)}
    assert [await count(database, table, **key) for table in tables] == [2, 2, 3]
    await sweep()
    assert [await count(database, table, **key) for table in tables] == [0, 0, 0]
    assert await other.rest.get(other.path) == [like(id=kept)]

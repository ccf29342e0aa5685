"""discord.py adds its bot by its link, and follows integrations and managed roles."""

from __future__ import annotations

import asyncio
from typing import Any

import discord
import pytest

from chatd.core.permissions import Permissions
from tests.helpers.discord_py import running
from tests.helpers.images import image_bytes
from tests.world import TIMEOUT_S, World


async def test_discord_py_follows_integrations(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", owner="carol")
    other = await world.bot("other", owner="carol")

    async def add(client_id: str, permissions: Permissions) -> None:
        link = discord.utils.oauth_url(client_id, permissions=discord.Permissions(int(permissions)))
        consent = {"authorize": True, "guild_id": guild.id}
        await guild.owner.rest.post(link.removeprefix("https://discord.com"), consent)

    async with running(bot.token, monkeypatch, world) as client:

        def next_event(name: str) -> asyncio.Task[Any]:
            return asyncio.create_task(client.wait_for(name, timeout=TIMEOUT_S))

        joined = next_event("guild_join")
        await asyncio.sleep(0)
        await add(bot.id, Permissions.MANAGE_GUILD | Permissions.BAN_MEMBERS)
        there: discord.Guild = await joined
        assert there.me.guild_permissions.ban_members
        [role] = [each for each in there.roles if each.is_bot_managed()]
        assert (role, role.managed, role.tags and role.tags.bot_id) == (
            there.self_role,
            True,
            int(bot.id),
        )

        created, updated = next_event("integration_create"), next_event("integration_update")
        changed, deleted = (
            next_event("guild_integrations_update"),
            next_event("raw_integration_delete"),
        )
        await asyncio.sleep(0)
        commands = f"/oauth2/authorize?client_id={other.id}&scope=applications.commands"
        await guild.owner.rest.post(commands, {"authorize": True, "guild_id": guild.id})
        integration: discord.BotIntegration = await created
        assert integration.application.user is not None
        assert integration.application.user.id == int(other.id)
        assert integration.scopes == ["applications.commands"]
        assert (await changed).id == there.id
        await add(other.id, Permissions.KICK_MEMBERS)
        assert (await updated).scopes == ["bot", "applications.commands"]

        listed = {each.id: each for each in await there.integrations()}
        assert listed.keys() == {int(bot.id), int(other.id)}
        adder = listed[int(other.id)].user
        assert adder is not None
        assert adder.id == int(guild.owner.id)
        with pytest.raises(discord.HTTPException) as refused:
            await role.delete()
        assert refused.value.code == 50013
        await guild.owner.rest.patch(
            f"/guilds/{guild.id}/roles", [{"id": str(role.id), "position": 5}]
        )
        await listed[int(other.id)].delete(reason="not needed")
        assert (await deleted).application_id == int(other.id)

        info = await client.application_info()
        assert (info.name, info.approximate_guild_count) == (bot.name, 1)
        edited = await info.edit(
            reason="described",
            description="Moderates.",
            tags=["moderation"],
            icon=image_bytes(),
            guild_install_scopes=["bot", "applications.commands"],
            guild_install_permissions=discord.Permissions(ban_members=True),
        )
        assert (edited.description, edited.tags) == ("Moderates.", ["moderation"])
        assert edited.icon is not None
        assert await edited.icon.read() == image_bytes()
        config = edited.guild_integration_config
        assert config is not None
        assert config.oauth2_install_params is not None
        assert config.oauth2_install_params.permissions.ban_members

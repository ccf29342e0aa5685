"""discord.js manages commands, integrations, webhooks and components as with Discord."""

from __future__ import annotations

from chatd.core.permissions import Permissions
from tests.helpers.bot_programs import running_program
from tests.helpers.roles import assign_roles, create_role
from tests.world import World

_RIGHTS = (
    Permissions.MANAGE_GUILD
    | Permissions.MANAGE_WEBHOOKS
    | Permissions.MANAGE_CHANNELS
    | Permissions.MANAGE_MESSAGES
)


async def test_discord_js_uses_all_parts(world: World) -> None:
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", "alice", guild)
    other = await world.bot("other", "alice")
    await assign_roles(world, guild, "bot", await create_role(guild, "all", _RIGHTS))
    side = await guild.channel("side")
    general, rest = guild.general.id, guild.owner.rest
    settings = {
        "API": world.url,
        "GATEWAY": world.gateway_url,
        "TOKEN": bot.token,
        "GUILD": guild.id,
    }
    async with running_program("node", "discord_js_parts.cjs", settings) as program:
        assert await program.ask("start") == [bot.id, bot.name, guild.owner.name]
        ping = await program.ask("commands")
        path = f"/applications/{bot.id}/guilds/{guild.id}/commands/{ping}/permissions"
        overwrite = {"id": guild.id, "type": 1, "permission": False}
        await rest.put(path, {"permissions": [overwrite]})
        assert await program.ask("event") == ["permissions", ping]
        assert await program.ask("permissions", ping) == [overwrite]

        link = f"/oauth2/authorize?client_id={other.id}&scope=applications.commands"
        await rest.post(link, {"authorize": True, "guild_id": guild.id})
        assert await program.ask("event") == ["integrations", guild.id]
        found = await program.ask("integrations")
        assert sorted(found) == sorted([[bot.name, "discord"], [other.name, "discord"]])

        assert await program.ask("webhooks", general, side.id) == []
        assert await program.ask("event") == ["webhooks", general]
        assert await program.ask("selects", side.id) == [3, 5, 6, 7, 2]
        complaints = await program.ask("complaints")
        assert not complaints, "\n".join(complaints)

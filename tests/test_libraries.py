"""A library for Discord's bots works here when only its addresses are changed."""

from __future__ import annotations

import asyncio
import io

import discord
import pytest

from tests.helpers.discord_py import running
from tests.world import TIMEOUT_S, World


async def test_discord_py(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", "alice", guild)
    async with running(bot.token, monkeypatch, world) as client:
        there = client.get_guild(int(guild.id))
        assert there is not None
        assert {member.name for member in there.members} == {guild.owner.name, bot.name}
        channel = there.get_channel(int(guild.general.id))
        assert isinstance(channel, discord.TextChannel)

        heard = asyncio.create_task(client.wait_for("message", timeout=TIMEOUT_S))
        await asyncio.sleep(0)
        path = f"/channels/{channel.id}/messages"
        await guild.owner.rest.post(path, {"content": "Hello, bot"})
        message = await heard
        assert (message.content, message.author.name) == ("Hello, bot", guild.owner.name)

        reply = await message.reply("Hello yourself", embed=discord.Embed(title="Title"))
        assert reply.reference is not None
        await reply.edit(content="edited")
        await reply.add_reaction("👍")
        sent = await channel.send(file=discord.File(io.BytesIO(b"data"), "notes.txt"))
        assert sent.attachments[0].filename == "notes.txt"
        history = [each async for each in channel.history(limit=10, oldest_first=True)]
        assert [each.content for each in history][-3:] == ["Hello, bot", "edited", ""]
        assert [str(each.emoji) for each in history[-2].reactions] == ["👍"]
        await sent.delete()

        [alice] = await there.query_members(guild.owner.name)
        assert (await alice.send("in private")).content == "in private"
        assert (await client.application_info()).owner.name == guild.owner.name
        with pytest.raises(discord.Forbidden) as refused:
            await there.create_text_channel("not mine to make")
        assert refused.value.code == 50013

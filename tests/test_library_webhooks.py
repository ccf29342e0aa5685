"""Libraries for webhooks create them, and send, edit and delete messages, as with Discord."""

from __future__ import annotations

import asyncio
import io

import aiohttp
import discord
import pytest
from discord_webhook import DiscordEmbed, DiscordWebhook

from chatd.core.permissions import Permissions
from tests.helpers.discord_py import running
from tests.helpers.images import image_bytes
from tests.helpers.roles import assign_roles, create_role
from tests.world import TIMEOUT_S, Guild, World, like

_RIGHTS = Permissions.MANAGE_WEBHOOKS | Permissions.MANAGE_CHANNELS | Permissions.MANAGE_MESSAGES


async def bot_token(world: World, guild: Guild) -> str:
    """Return the token of a bot that may manage webhooks, channels and messages."""
    bot = await world.bot("bot", "alice", guild)
    role = await create_role(guild, "webhooks", _RIGHTS)
    await assign_roles(world, guild, "bot", role)
    return bot.token


async def test_discord_py_manages_webhooks_and_sends_with_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    guild = await world.guild(owner="alice")
    side = await guild.channel("side")
    token = await bot_token(world, guild)
    async with running(token, monkeypatch, world) as client, aiohttp.ClientSession() as session:
        channel = client.get_channel(int(guild.general.id))
        assert isinstance(channel, discord.TextChannel)
        made = await channel.create_webhook(name="Builds", avatar=image_bytes(), reason="CI")
        assert (made.name, made.user, made.channel) == ("Builds", client.user, channel)
        assert made.avatar and await made.avatar.read()
        assert made.token and [each.token for each in await channel.webhooks()] == [made.token]

        webhook = discord.Webhook.partial(made.id, made.token, session=session)
        arriving = asyncio.create_task(client.wait_for("message", timeout=TIMEOUT_S))
        await asyncio.sleep(0)
        sent = await webhook.send(
            "passed",
            username="Nightly",
            avatar_url="https://example.org/a.png",
            embeds=[discord.Embed(title="Tests", description="all")],
            file=discord.File(io.BytesIO(b"log"), "log.txt"),
            wait=True,
        )
        arrived = await arriving
        assert arrived.id == sent.id and arrived.webhook_id == made.id
        assert (arrived.author.name, arrived.author.bot) == ("Nightly", True)
        assert arrived.author.id == made.id and arrived.author.discriminator == "0000"
        assert [each.title for each in arrived.embeds] == ["Tests"]
        assert [(each.filename, each.size) for each in arrived.attachments] == [("log.txt", 3)]

        edited = await sent.edit(content="failed", attachments=[])
        assert (edited.content, edited.attachments) == ("failed", [])
        assert (await webhook.fetch_message(sent.id)).content == "failed"
        await webhook.delete_message(sent.id)
        with pytest.raises(discord.NotFound):
            await webhook.fetch_message(sent.id)

        there = client.get_channel(int(side.id))
        assert isinstance(there, discord.TextChannel)
        moved = await made.edit(name="Moved", channel=there)
        assert (moved.name, moved.channel_id) == ("Moved", there.id)
        await webhook.delete()
        assert await channel.guild.webhooks() == []
        with pytest.raises(discord.NotFound):
            await webhook.send("late")


async def test_discord_py_follows_and_publishes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    guild = await world.guild(owner="alice")
    side = await guild.channel("side")
    token = await bot_token(world, guild)
    async with running(token, monkeypatch, world) as client:
        channel = client.get_channel(int(guild.general.id))
        target = client.get_channel(int(side.id))
        assert isinstance(channel, discord.TextChannel) and isinstance(target, discord.TextChannel)
        announcing = await channel.edit(type=discord.ChannelType.news)
        assert announcing is not None and announcing.is_news()
        followed = await announcing.follow(destination=target)
        assert followed.type is discord.WebhookType.channel_follower
        [listed] = await target.webhooks()
        assert listed.source_channel and listed.source_channel.id == channel.id

        def is_copy(message: discord.Message) -> bool:
            return message.channel == target and message.flags.is_crossposted

        arriving = asyncio.create_task(client.wait_for("message", check=is_copy, timeout=TIMEOUT_S))
        await asyncio.sleep(0)
        sent = await announcing.send("news")
        await sent.publish()
        copy = await arriving
        assert (copy.content, copy.webhook_id) == ("news", followed.id)
        assert copy.reference and copy.reference.message_id == sent.id


async def test_discord_webhook_sends_edits_and_deletes(world: World) -> None:
    guild = await world.guild(owner="alice")
    made = await guild.owner.rest.post(f"/channels/{guild.general.id}/webhooks", {"name": "Builds"})
    url = f"{world.url}/api/webhooks/{made['id']}/{made['token']}"
    webhook = DiscordWebhook(url, content="passed", username="Nightly", timeout=TIMEOUT_S)
    webhook.add_embed(DiscordEmbed(title="Tests", description="all", color="03b2f8"))
    webhook.add_file(b"log", "log.txt")
    sent = await asyncio.to_thread(webhook.execute)
    assert sent.status_code == 200, sent.text
    shown = f"/channels/{guild.general.id}/messages"
    [message] = await guild.owner.rest.get(shown)
    assert message == like(content="passed", webhook_id=made["id"], id=webhook.id)
    assert message["author"]["username"] == "Nightly"
    assert [each["title"] for each in message["embeds"]] == ["Tests"]
    assert [each["filename"] for each in message["attachments"]] == ["log.txt"]

    webhook.remove_files()
    webhook.content = "failed"
    edited = await asyncio.to_thread(webhook.edit)
    assert edited.status_code == 200, edited.text
    assert (await guild.owner.rest.get(shown))[0]["content"] == "failed"
    assert (await asyncio.to_thread(webhook.delete)).status_code == 204
    assert await guild.owner.rest.get(shown) == []

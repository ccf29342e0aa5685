"""A program with discord.py-self, for another interpreter: the package has the name of discord.py.

It logs in, waits until it is ready, and answers the commands on its standard input with one line of
JSON each.
"""

# mypy: ignore-errors

import asyncio
import json
import logging
import os
import sys

import discord
import yarl
from discord.gateway import DiscordWebSocket

discord.http.Route.BASE = os.environ["API"] + "/api/v9"
DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(os.environ["GATEWAY"])


async def no_request(*_, **__):
    """Its login asks Discord for the version of Discord's client. This test asks no other host."""
    raise OSError("offline")


for name in ("get_api_properties", "_get_build_number", "_get_browser_version"):
    setattr(discord.utils.Headers, name, staticmethod(no_request))


class Warnings(logging.Handler):
    """Collects what the library complains about."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.texts = []

    def emit(self, record):
        if record.name not in ("discord.utils", "discord.client") or record.exc_info:
            self.texts.append(self.format(record))


class Program(discord.Client):
    """Answers commands."""

    def __init__(self):
        super().__init__()
        self.warnings = Warnings()
        logging.getLogger("discord").addHandler(self.warnings)
        self.heard = asyncio.Queue()
        self.resumes = asyncio.Queue()

    async def on_message(self, message):
        self.heard.put_nowait(message)

    async def on_resumed(self):
        self.resumes.put_nowait(None)

    async def ready(self):
        await self.wait_for("ready", timeout=30)
        return {
            "user": str(self.user.id),
            "guilds": {
                str(each.id): [str(one.id) for one in each.channels] for each in self.guilds
            },
            "friends": [str(each.user.id) for each in self.relationships],
            "private": [str(each.recipient.id) for each in self.private_channels],
            "sessions": len(self.sessions),
        }

    async def members(self, guild_id):
        guild = self.get_guild(int(guild_id))
        found = await guild.fetch_members(delay=0, cache=True)
        return sorted(str(each.id) for each in found)

    async def listed(self, guild_id, channel_id):
        guild = self.get_guild(int(guild_id))
        waiting = asyncio.ensure_future(self.wait_for("raw_member_list_update", timeout=30))
        await asyncio.sleep(0)
        channel = guild.get_channel(int(channel_id))
        state = self._connection
        await state.subscriptions.subscribe_to_channels(
            guild, {channel.id: [(0, 99)]}, replace=True
        )
        update = await waiting
        return [update["id"] == channel.member_list_id, update["groups"]]

    async def say(self, channel_id, content):
        return str((await self.get_channel(int(channel_id)).send(content)).id)

    async def next_message(self):
        message = await asyncio.wait_for(self.heard.get(), 30)
        return [str(message.author.id), message.content]

    async def type_in(self, channel_id):
        await self.get_channel(int(channel_id)).typing()

    async def react_and_read(self, channel_id, message_id):
        message = await self.get_channel(int(channel_id)).fetch_message(int(message_id))
        await message.add_reaction("\N{THUMBS UP SIGN}")
        await message.ack()
        return [
            str(each.emoji) for each in (await message.channel.fetch_message(message.id)).reactions
        ]

    async def cut(self):
        await self.ws.socket.close(4000)
        await asyncio.wait_for(self.resumes.get(), 30)

    async def identify_again(self):
        """Lose the session: the server refuses to resume this one, and the client identifies."""
        waiting = asyncio.ensure_future(self.wait_for("ready", timeout=30))
        self.ws.session_id = "0" * 32
        await self.ws.socket.close(4000)
        await waiting

    async def complaints(self):
        return self.warnings.texts


async def main():
    """Run the commands until the input ends."""
    client = Program()
    await client._async_setup_hook()
    running = asyncio.ensure_future(client.start(os.environ["TOKEN"]))
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        command, *arguments = json.loads(line)
        print(json.dumps(await getattr(client, command)(*arguments)), flush=True)
    await client.close()
    running.cancel()


asyncio.run(main())

"""Runs an example of discord.py for tests/test_library_examples.py: its path is the argument.

The example gets what it asks the reader to fill in: a token, and the ids of a guild and a channel.
"""

# mypy: ignore-errors

import asyncio
import os
import sys
from pathlib import Path

import discord
import yarl
from discord.gateway import DiscordWebSocket
from program import API, GATEWAY, GUILD, TOKEN, serve

PATH = sys.argv[1]
SOURCE = Path(PATH).read_text()
CHANNEL = os.environ["CHANNEL"]
PLACEHOLDERS = {
    "discord.Object(id=0)": f"discord.Object(id={GUILD})",
    "discord.Object(0)": f"discord.Object({GUILD})",
    "REPORTS_CHANNEL_ID = 0": f"REPORTS_CHANNEL_ID = {CHANNEL}",
    "get_channel(0)": f"get_channel({CHANNEL})",
}

discord.http.Route.BASE = f"{API}/api/v10"
discord.Asset.BASE = API
DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(GATEWAY)
started = []
discord.Client.run = lambda client, *_, **__: started.append(client)


async def start():
    source = SOURCE
    for placeholder, value in PLACEHOLDERS.items():
        source = source.replace(placeholder, value)
    names = {"__name__": "__main__", "__file__": PATH}
    exec(compile(source, PATH, "exec"), names)
    [client] = started
    running = asyncio.ensure_future(client.start(TOKEN))
    while not client.is_ready():
        await asyncio.sleep(0.01)
        if running.done():
            running.result()
    return {command.name: len(command.clean_params) for command in getattr(client, "commands", ())}


serve(start)

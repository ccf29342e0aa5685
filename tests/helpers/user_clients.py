"""Clients of people, as Discord's own: they send capabilities, and READY has everything."""

from __future__ import annotations

from typing import Any

from tests.world import Client, World

Json = dict[str, Any]

DISCORD_PY_SELF = 22525
"""The capabilities of discord.py-self 2.1."""

FERMI = 16381
"""The capabilities of Fermi, a client of Spacebar."""

SELFBOT = 0
"""The capabilities of discord.js-selfbot-v13."""


async def connect(
    world: World, name: str, capabilities: int = DISCORD_PY_SELF, **identify: Any
) -> Client:
    """Return a client that has sent IDENTIFY as discord.py-self does, and has its READY."""
    client = await world.socket()
    presence = {"status": "unknown", "activities": [], "afk": False, "since": 0}
    properties = {"os": "Windows", "browser": "Chrome", "device": "", "release_channel": "stable"}
    await client.send(
        2,
        {
            "token": (await world.person(name)).token,
            "capabilities": capabilities,
            "properties": properties,
            "presence": presence,
            "compress": False,
            "client_state": {"guild_versions": {}},
            **identify,
        },
    )
    client.ready = (await client.next("READY")).d
    return client

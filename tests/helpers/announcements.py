"""Guilds with announcement channels, their followers, and published messages."""

from __future__ import annotations

from typing import Any

from tests.world import Client, Guild, Person, World


async def announcing(world: World, *members: str) -> Guild:
    """Return a guild whose general channel is an announcement channel."""
    guild = await world.guild(owner="alice", members=members)
    await guild.owner.rest.patch(f"/channels/{guild.general.id}", {"type": 5})
    return guild


async def follow(guild: Guild, follower: Guild, who: Person | None = None) -> dict[str, Any]:
    """Let the general channel of a guild follow that of another."""
    rest = (who or follower.owner).rest
    path = f"/channels/{guild.general.id}/followers"
    found: dict[str, Any] = await rest.post(path, {"webhook_channel_id": follower.general.id})
    return found


async def send(guild: Guild, **body: Any) -> dict[str, Any]:
    sent: dict[str, Any] = await guild.owner.rest.post(
        f"/channels/{guild.general.id}/messages", body
    )
    return sent


async def publish(guild: Guild, message_id: str) -> dict[str, Any]:
    path = f"/channels/{guild.general.id}/messages/{message_id}/crosspost"
    found: dict[str, Any] = await guild.owner.rest.post(path)
    return found


async def following(world: World) -> tuple[Guild, Guild, Client]:
    """Return a guild, one that follows it, and a client there that has seen that."""
    guild, follower = await announcing(world, "bob"), await world.guild(owner="bob")
    await follow(guild, follower)
    [client] = await world.online("bob")
    return guild, follower, client


async def next_in(client: Client, name: str, channel_id: str) -> Any:
    """Return the next dispatch of this name in a channel."""
    while True:
        found = (await client.next(name)).d
        if found["channel_id"] == channel_id:
            return found


async def wait_in_all(client: Client, name: str, guilds: list[Guild]) -> None:
    """Wait for a dispatch of this name in the general channel of each guild."""
    missing = {guild.general.id for guild in guilds}
    while missing:
        missing.discard((await client.next(name)).d["channel_id"])

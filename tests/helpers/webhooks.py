"""Webhooks, and messages that are sent with their tokens."""

from __future__ import annotations

from typing import Any

from tests.world import Guild, World


async def create_webhook(guild: Guild, name: str = "Builds", **fields: Any) -> dict[str, Any]:
    """Create a webhook of the first channel of a guild; return it."""
    path = f"/channels/{guild.general.id}/webhooks"
    made: dict[str, Any] = await guild.owner.rest.post(path, {"name": name, **fields})
    return made


def path_of(webhook: dict[str, Any]) -> str:
    """Return the path of a webhook, with its token."""
    return f"/webhooks/{webhook['id']}/{webhook['token']}"


async def send(world: World, webhook: dict[str, Any], **body: Any) -> dict[str, Any]:
    """Send a message; return it."""
    path = f"{path_of(webhook)}?wait=true&with_components=true"
    sent: dict[str, Any] = await world.anonymous.post(path, body)
    return sent

"""Messages and their reactions."""

from __future__ import annotations

from urllib.parse import quote

from tests.world import Guild


def reaction_path(guild: Guild, message: dict[str, str], emoji: str = "", who: str = "") -> str:
    """Return the path of the reactions of a message, of one emoji, or of one user."""
    base = f"/channels/{guild.general.id}/messages/{message['id']}/reactions"
    return base + (f"/{quote(emoji)}" if emoji else "") + (f"/{who}" if who else "")


async def create_message(guild: Guild) -> dict[str, str]:
    """Create a message to react to, as the guild's owner."""
    body = {"content": "react to this"}
    message: dict[str, str] = await guild.owner.rest.post(
        f"/channels/{guild.general.id}/messages", body
    )
    return message

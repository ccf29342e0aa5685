"""Rules of AutoModeration for tests."""

from __future__ import annotations

from typing import Any

from tests.world import Guild

BLOCK: dict[str, Any] = {"type": 1}


def alert(channel_id: str) -> dict[str, Any]:
    """Return an action that alerts in a channel."""
    return {"type": 2, "metadata": {"channel_id": channel_id}}


def rule(trigger_type: int = 1, *actions: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return the body of an enabled rule. What is no field of a rule describes its trigger."""
    own = {"name", "enabled", "exempt_roles", "exempt_channels", "event_type"}
    return {
        "name": "words",
        "event_type": 1,
        "trigger_type": trigger_type,
        "enabled": True,
        "actions": list(actions) or [BLOCK],
        "trigger_metadata": {key: each for key, each in fields.items() if key not in own},
        **{key: each for key, each in fields.items() if key in own},
    }


async def add_rule(
    guild: Guild, trigger_type: int = 1, *actions: dict[str, Any], **fields: Any
) -> dict[str, Any]:
    """Add an enabled rule to a guild; return it."""
    path = f"/guilds/{guild.id}/auto-moderation/rules"
    made: dict[str, Any] = await guild.owner.rest.post(path, rule(trigger_type, *actions, **fields))
    return made

"""Rules of AutoModeration, and messages that they screen."""

from __future__ import annotations

from typing import Any

from tests.helpers.rest_client import Answer
from tests.world import Guild, World

BLOCK: dict[str, Any] = {"type": 1}
EXECUTED = "AUTO_MODERATION_ACTION_EXECUTION"


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


async def say(world: World, name: str, guild: Guild, content: str, **fields: Any) -> Answer:
    """Send a message to the first channel of a guild; return the answer."""
    path = f"/channels/{guild.general.id}/messages"
    return await world.rest(name).call("POST", path, {"content": content, **fields})


def is_blocked(answer: Answer) -> bool:
    """Return whether a rule has blocked a message."""
    return answer.status == 400 and answer.code == 200000


async def contents(guild: Guild) -> list[str]:
    """Return the texts in the channel, oldest first."""
    found = await guild.owner.rest.get(f"/channels/{guild.general.id}/messages")
    return [each["content"] for each in reversed(found) if each["type"] in (0, 19)]

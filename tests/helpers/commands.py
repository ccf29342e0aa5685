"""Application commands of a bot, called by the bot."""

from __future__ import annotations

from typing import Any

from tests.world import Guild, Person

PING = {"name": "ping", "description": "Answers"}


class Commands:
    """The commands of a bot in one scope: globally, or in a guild."""

    def __init__(self, bot: Person, guild: Guild | None = None) -> None:
        self.bot = bot
        self.rest = bot.rest
        inside = f"/guilds/{guild.id}" if guild else ""
        self.path = f"/applications/{bot.id}{inside}/commands"

    async def add(self, name: str, **fields: Any) -> str:
        """Create a command; return its id."""
        made = await self.rest.post(self.path, {**PING, "name": name, **fields})
        return str(made["id"])

    async def names(self) -> list[str]:
        """Return the names of all commands."""
        return sorted(each["name"] for each in await self.rest.get(self.path))

    async def refused(self, body: Any, method: str = "POST") -> Any:
        """Send a body that must be refused; return the answer."""
        answer = await self.rest.call(method, self.path, body)
        assert answer.status == 400, answer.raw
        return answer


def menu(kind: int, name: str) -> dict[str, Any]:
    """Return a command for the menu of users (2) or messages (3)."""
    return {"type": kind, "name": name}


def code(answer: Any, *path: str) -> str:
    """Return the code of the error of a field."""
    errors = answer.json["errors"]
    for key in path:
        errors = errors[key]
    return str(errors["_errors"][0]["code"])

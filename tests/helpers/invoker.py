"""A person that uses the commands and components of a bot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import discord

from tests.helpers.attachments import message_form, send_form
from tests.world import Client, Guild, Person, World


@dataclass(frozen=True)
class Listed:
    """A command as clients of people list it; it has the names of a command of discord.py."""

    id: str
    name: str
    type: discord.AppCommandType
    options: list[dict[str, Any]]


@dataclass(frozen=True)
class Invoker:
    """A person in the guild of a bot, with a client."""

    guild: Guild
    bot: Person
    person: Person
    client: Client

    def body(self, kind: int, data: Any, **more: Any) -> dict[str, Any]:
        """Return the body of an interaction of this type."""
        return {
            "type": kind,
            "application_id": self.bot.id,
            "guild_id": self.guild.id,
            "channel_id": self.guild.general.id,
            "nonce": "77",
            "data": data,
            **more,
        }

    async def send(self, kind: int, data: Any, **more: Any) -> None:
        """Create an interaction."""
        await self.person.rest.post("/interactions", self.body(kind, data, **more))

    async def commands(self) -> dict[str, Listed]:
        """Return the commands that the person can use, by their names."""
        index = await self.person.rest.get(f"/guilds/{self.guild.id}/application-command-index")
        found = (
            Listed(
                each["id"],
                each["name"],
                discord.AppCommandType(each["type"]),
                each.get("options", []),
            )
            for each in index["application_commands"]
        )
        return {each.name: each for each in found}

    async def use(self, command: Any, **data: Any) -> None:
        """Use a command."""
        await self.send(2, self.of(command, **data))

    async def use_with_file(self, command: Any, name: str, content: bytes, **data: Any) -> None:
        """Use a command with a file, whose option has the value "0"."""
        files = [{"id": "0", "filename": name}]
        body = self.body(2, self.of(command, attachments=files, **data))
        form = message_form(body, (name, content))
        answer = await send_form(self.person.rest, "/interactions", form)
        assert answer.status == 204, answer.raw

    def of(self, command: Any, **data: Any) -> dict[str, Any]:
        """Return the data of an interaction with a command."""
        kind = command.type.value
        return {"id": str(command.id), "name": command.name, "type": kind, **data}

    async def press(self, message: Any, custom_id: str, kind: int = 2, **data: Any) -> None:
        """Use a component of a message."""
        await self.send(
            3,
            {"component_type": kind, "custom_id": custom_id, **data},
            message_id=message["id"],
            message_flags=message["flags"],
        )

    async def next(self, event: str) -> Any:
        """Wait for an event of this name; return its data."""
        return (await self.client.next(event)).d

    async def message(self) -> Any:
        """Wait for the next message."""
        return await self.next("MESSAGE_CREATE")


async def invoker_of(world: World) -> Invoker:
    """Create a guild of alice with a bot and bob, who uses the commands."""
    guild = await world.guild(owner="alice", members=["bob"])
    bot = await world.bot("bot", "alice", guild)
    [client] = await world.online("bob")
    return Invoker(guild, bot, await world.person("bob"), client)


def option(name: str, kind: int, value: Any, **more: Any) -> dict[str, Any]:
    """Return an option of a command in use."""
    return {"name": name, "type": kind, "value": value, **more}


def subcommand(name: str, *options: Any) -> dict[str, Any]:
    """Return a subcommand in use."""
    return {"name": name, "type": 1, "options": list(options)}

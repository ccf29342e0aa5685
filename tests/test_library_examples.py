"""The examples of discord.py for commands, modals, views and layouts work here as published.

They are not part of the package: DISCORD_PY_EXAMPLES names the folder `examples` of its repository.
Each example runs unmodified but for addresses and what it asks the reader to fill in. A person uses
each of its commands, and presses, chooses and submits all that it shows.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.bot_programs import Program, running
from tests.helpers.invoker import Invoker, Listed, option
from tests.world import World

EXAMPLES = os.environ.get("DISCORD_PY_EXAMPLES")
NAMES = [
    "app_commands/basic.py",
    "app_commands/transformers.py",
    "modals/basic.py",
    "modals/label.py",
    "modals/report.py",
    "views/confirm.py",
    "views/counter.py",
    "views/dropdown.py",
    "views/dynamic_counter.py",
    "views/ephemeral.py",
    "views/layout.py",
    "views/link.py",
    "views/persistent.py",
    "views/settings.py",
    "views/tic_tac_toe.py",
]
"""All but views/embed_like.py, which requests pictures of another server."""

ONE_PRESS = {"views/confirm.py"}
"""Examples whose view ends with the first press."""

POINTS = {"graph": "1,2", "graph3d": "1,2,3"}
"""Texts for commands that do not take any text."""

_OUTCOMES = ("INTERACTION_SUCCESS", "INTERACTION_FAILURE")
_MOST_PRESSES = 15  # one example shows another button with each press


@dataclass
class Player:
    """A person that uses all that a bot offers."""

    invoker: Invoker
    message: dict[str, Any]
    """A message of the person."""
    presses_left: int
    shown: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The messages of the bot by their ids, as they are now."""
    modals: list[dict[str, Any]] = field(default_factory=list)
    used: set[tuple[str, str]] = field(default_factory=set)
    """The messages and ids of components that were used."""
    interactions: int = 0

    async def use_everything(self, text_commands: dict[str, int]) -> None:
        """Use the commands, and all that the bot shows in response."""
        for command in (await self.invoker.commands()).values():
            await self.interact(2, self.invoker.of(command, **self.filled(command)))
            await self.use_what_is_shown()
        for name, parameters in text_commands.items():
            text = " ".join([f"<@{self.invoker.bot.id}> {name}", *["text"] * parameters])
            path = f"/channels/{self.invoker.guild.general.id}/messages"
            await self.invoker.person.rest.post(path, {"content": text})
            while self.notice(await self.invoker.client.next_any()) != "MESSAGE_CREATE":
                pass
            await self.use_what_is_shown()

    def filled(self, command: Listed) -> dict[str, Any]:
        """Return the data of a command: its target, or values for all its options."""
        match command.type.value:
            case 2:
                return {"target_id": self.invoker.person.id}
            case 3:
                return {"target_id": self.message["id"]}
        values: dict[int, Any] = {
            3: POINTS.get(command.name, "text"),
            4: 1,
            6: self.invoker.person.id,
            7: self.invoker.guild.general.id,
        }
        return {
            "options": [
                option(each["name"], each["type"], self.first_choice(each, values[each["type"]]))
                for each in command.options
            ]
        }

    def first_choice(self, given: dict[str, Any], otherwise: Any) -> Any:
        return given["choices"][0]["value"] if given.get("choices") else otherwise

    async def use_what_is_shown(self) -> None:
        """Submit modals and use components until there is nothing new."""
        while self.modals or self.presses_left:
            if self.modals:
                await self.submit(self.modals.pop())
            elif (found := self.unused_component()) is not None:
                self.presses_left -= 1
                message, component = found
                self.used.add((message["id"], component["custom_id"]))
                more = {} if component["type"] == 2 else {"values": self.values(component)}
                data = {"component_type": component["type"], **more}
                await self.interact(
                    3,
                    {"custom_id": component["custom_id"], **data},
                    message_id=message["id"],
                    message_flags=message["flags"],
                )
            else:
                return

    def unused_component(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        for message in self.shown.values():
            for each in interactive(message["components"]):
                if (message["id"], each["custom_id"]) not in self.used:
                    return message, each
        return None

    def values(self, component: dict[str, Any]) -> list[str]:
        """Return a choice in a select."""
        guild, person = self.invoker.guild, self.invoker.person
        match component["type"]:
            case 3:
                return [component["options"][0]["value"]]
            case 8:
                return [guild.general.id]
        return [person.id]

    async def submit(self, modal: dict[str, Any]) -> None:
        """Submit a modal with a value in each of its fields."""
        components = []
        for each in modal["components"]:
            if each["type"] not in (1, 18):
                continue
            given = each["component"] if each["type"] == 18 else each["components"][0]
            filled = {"type": given["type"], "custom_id": given["custom_id"]}
            if given["type"] == 4:
                filled["value"] = "1"
            else:  # no files
                filled["values"] = [] if given["type"] == 19 else self.values(given)
            inside = {"component": filled} if each["type"] == 18 else {"components": [filled]}
            components.append({"type": each["type"], **inside})
        data = {"id": modal["id"], "custom_id": modal["custom_id"], "components": components}
        await self.interact(5, data)

    async def interact(self, kind: int, data: Any, **more: Any) -> None:
        """Create an interaction, and wait until the bot has acknowledged it."""
        self.interactions += 1
        nonce = str(self.interactions)
        await self.invoker.send(kind, data, **more | {"nonce": nonce})
        while True:
            event = await self.invoker.client.next_any()
            self.notice(event)
            if event.t in _OUTCOMES and event.d["nonce"] == nonce:
                assert event.t == "INTERACTION_SUCCESS", data
                break
        for each in await self.invoker.client.received_before_fence():
            self.notice(each)

    def notice(self, event: Any) -> str:
        """Remember what the bot shows; return the name of the event if the bot caused it."""
        if event.t == "INTERACTION_MODAL_CREATE":
            self.modals.append(event.d)
        elif event.t in ("MESSAGE_CREATE", "MESSAGE_UPDATE"):
            if event.d["author"]["id"] != self.invoker.bot.id:
                return ""
            self.shown[event.d["id"]] = event.d
        elif event.t == "MESSAGE_DELETE":
            self.shown.pop(event.d["id"], None)
        return str(event.t)


def interactive(components: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the components that a person can use, nested ones included."""
    found = []
    for each in components:
        if "custom_id" in each and not each.get("disabled"):
            found.append(each)
        inner = [*each.get("components", []), each.get("accessory"), each.get("component")]
        found += interactive([one for one in inner if one])
    return found


async def player_of(world: World, name: str) -> Player:
    """Create a guild of alice with her bot; alice plays, since some commands are for owners."""
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", "alice", guild)
    [client] = await world.online("alice")
    alice = guild.owner
    sent = await alice.rest.post(f"/channels/{guild.general.id}/messages", {"content": "hi"})
    invoker = Invoker(guild, bot, alice, client)
    return Player(invoker, sent, 1 if name in ONE_PRESS else _MOST_PRESSES)


@pytest.mark.skipif(EXAMPLES is None, reason="needs DISCORD_PY_EXAMPLES")
@pytest.mark.parametrize("name", NAMES)
async def test_example_works(world: World, name: str) -> None:
    assert EXAMPLES is not None
    player = await player_of(world, name)
    settings = {
        "API": world.url,
        "GATEWAY": world.gateway_url,
        "TOKEN": player.invoker.bot.token,
        "GUILD": player.invoker.guild.id,
        "CHANNEL": player.invoker.guild.general.id,
    }
    path = str(Path(EXAMPLES) / name)
    async with running([sys.executable], "discord_py_example.py", settings, path) as program:
        await play(program, player)
        complaints = await program.ask("complaints")
        assert not complaints, "\n".join(complaints)
    assert player.shown


async def play(program: Program, player: Player) -> None:
    """Use all that the example offers."""
    try:
        await player.use_everything(await program.ask("start"))
    except BaseException as error:
        error.add_note(f"complaints: {await program.ask('complaints')}")
        raise

"""The same bot with each of several libraries works here when only its addresses are changed.

A person uses its commands, components and modals. Each program in `tests/bots` is this bot, and
collects the warnings of its library, and the events and fields that the library does not know.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from chatd.core.permissions import Permissions
from tests.helpers.attachments import download
from tests.helpers.bot_programs import Program, running_program
from tests.helpers.invoker import Invoker, invoker_of, option, subcommand
from tests.helpers.roles import assign_roles, create_role
from tests.world import TIMEOUT_S, World

BOTS = {
    "discord.js": ("node", "discord_js.cjs"),
    "oceanic.js": ("node", "oceanic.cjs"),
    "disnake": ("disnake", "disnake_bot.py"),
    "interactions.py": ("interactions.py", "interactions_py.py"),
    "lightbulb": ("lightbulb", "hikari_lightbulb.py"),
    "nextcord": ("nextcord", "nextcord_bot.py"),
    "py-cord": ("py-cord", "pycord_bot.py"),
}
"""The environment and the program of each library."""

WITHOUT_LAYOUTS = {"nextcord"}

COMMANDS = {"shop", "think", "panel", "read", "Who is it", "Repeat"}


@asynccontextmanager
async def running_bot(world: World, library: str) -> AsyncIterator[tuple[Invoker, Program]]:
    """Start the bot, and check its complaints at the end."""
    invoker = await invoker_of(world)
    role = await create_role(
        invoker.guild, "webhooks", Permissions.MANAGE_WEBHOOKS | Permissions.MANAGE_MESSAGES
    )
    await assign_roles(world, invoker.guild, "bot", role)
    settings = {
        "API": world.url,
        "GATEWAY": world.gateway_url,
        "TOKEN": invoker.bot.token,
        "GUILD": invoker.guild.id,
    }
    async with running_program(*BOTS[library], settings) as program:
        members = await program.ask("start")
        assert set(members) == {invoker.guild.owner.name, invoker.person.name, invoker.bot.name}
        async with asyncio.timeout(TIMEOUT_S):  # some libraries deploy when they are ready
            while not (await invoker.commands()).keys() >= COMMANDS:
                await asyncio.sleep(0.05)
        try:
            yield invoker, program
        except BaseException as error:  # the bot may have complained about the reason
            error.add_note(f"complaints: {await program.ask('complaints')}")
            raise
        complaints = await program.ask("complaints")
        assert not complaints, "\n".join(complaints)


@pytest.mark.parametrize("library", BOTS)
async def test_bot_works(world: World, library: str) -> None:
    async with running_bot(world, library) as (invoker, program):
        await answers_commands(world, invoker)
        await answers_later(invoker)
        await answers_components_and_modals(invoker)
        if library not in WITHOUT_LAYOUTS:
            await sends_layouts(invoker)
        await sends_with_webhooks(invoker, program)


async def answers_commands(world: World, invoker: Invoker) -> None:
    commands = await invoker.commands()
    await autocompletes(invoker)
    alice = invoker.guild.owner
    bought = subcommand(
        "buy",
        option("fruit", 3, "apple"),
        option("number", 4, 3),
        option("friend", 6, alice.id),
        option("place", 7, invoker.guild.general.id),
    )
    await invoker.use(commands["shop"], options=[bought])
    sent = await invoker.message()
    assert sent["content"] == f"3 apple for {alice.name} in general"
    assert sent["interaction_metadata"]["user"]["id"] == invoker.person.id

    await invoker.use(commands["Who is it"], target_id=alice.id)
    assert (await invoker.message())["content"] == alice.name
    path = f"/channels/{invoker.guild.general.id}/messages"
    message = await alice.rest.post(path, {"content": "echo"})
    assert (await invoker.message())["id"] == message["id"]
    await invoker.use(commands["Repeat"], target_id=message["id"])
    assert (await invoker.message())["content"] == "echo"

    read = [option("file", 11, "0")]
    await invoker.use_with_file(commands["read"], "list.txt", b"milk", options=read)
    sent = await invoker.message()
    assert sent["flags"] == 64
    [answer] = sent["attachments"]
    assert (await download(world, answer["url"])).raw == b"list.txt 4"


async def autocompletes(invoker: Invoker) -> None:
    """Type the start of an option, for which the bot has suggestions."""
    typed = subcommand("buy", option("fruit", 3, "ap", focused=True))
    shop = (await invoker.commands())["shop"]
    await invoker.send(4, invoker.of(shop, options=[typed]))
    suggested = await invoker.next("APPLICATION_COMMAND_AUTOCOMPLETE_RESPONSE")
    choices = [(each["name"], each["value"]) for each in suggested["choices"]]
    assert choices == [("apple", "ple"), ("apricot", "ricot")]


async def answers_later(invoker: Invoker) -> None:
    await invoker.use((await invoker.commands())["think"])
    loading = await invoker.message()
    assert loading["flags"] == 1 << 7
    changed = await invoker.next("MESSAGE_UPDATE")
    assert (changed["id"], changed["content"]) == (loading["id"], "first")
    more = await invoker.message()
    assert more["content"] == "more"
    assert (await invoker.next("MESSAGE_UPDATE"))["content"] == "edited"
    hidden = await invoker.message()
    assert (hidden["content"], hidden["flags"]) == ("hidden", 64)
    deleted = [(await invoker.next("MESSAGE_DELETE"))["id"] for _ in range(2)]
    assert deleted == [more["id"], loading["id"]]


async def answers_components_and_modals(invoker: Invoker) -> None:
    await invoker.use((await invoker.commands())["panel"])
    panel = await invoker.message()
    await invoker.press(panel, "count")
    changed = await invoker.next("MESSAGE_UPDATE")
    assert changed["content"] == "counted"
    assert changed["components"][0]["components"][0]["label"] == "1"

    chosen = [invoker.guild.owner, invoker.person]
    await invoker.press(panel, "users", 5, values=[each.id for each in chosen], type=5)
    names = sorted(each.name for each in chosen)
    assert (await invoker.message())["content"] == " and ".join(names)

    await invoker.press(panel, "form")
    modal = await invoker.next("INTERACTION_MODAL_CREATE")
    await submit(invoker, modal, name="Bob", about="builds")
    assert (await invoker.message())["content"] == "Bob: builds"

    await invoker.press(panel, "secret")
    secret = await invoker.message()
    assert (secret["content"], secret["flags"]) == ("only you", 64)
    await invoker.press(secret, "again")
    changed = await invoker.next("MESSAGE_UPDATE")
    assert (changed["id"], changed["content"]) == (secret["id"], "again")
    assert changed["components"] == []


async def submit(invoker: Invoker, modal: dict[str, object], **values: str) -> None:
    """Submit a modal with these values, in rows or in labels as the bot has sent them."""
    components = []
    assert isinstance(modal["components"], list)
    for each in modal["components"]:
        is_label = each["type"] == 18
        field = each["component"] if is_label else each["components"][0]
        filled = {"type": 4, "custom_id": field["custom_id"], "value": values[field["custom_id"]]}
        more = {"component": filled} if is_label else {"components": [filled]}
        components.append({"type": each["type"], **more})
    data = {"id": modal["id"], "custom_id": modal["custom_id"], "components": components}
    await invoker.send(5, data)


async def sends_layouts(invoker: Invoker) -> None:
    commands = await invoker.commands()
    await invoker.use(commands["layout"])
    sent = await invoker.message()
    assert sent["flags"] == 1 << 15
    [container] = sent["components"]
    assert container["accent_color"] == 0x3498DB
    assert [each["type"] for each in container["components"]] == [10, 9, 14, 12]
    await invoker.press(sent, "press")
    assert (await invoker.message())["content"] == "pressed"


async def sends_with_webhooks(invoker: Invoker, program: Program) -> None:
    asked = program.ask("webhook", invoker.guild.general.id)
    assert await asked == "failed"
    sent = await invoker.message()
    assert (sent["content"], sent["author"]["username"]) == ("passed", "Nightly")
    assert [each["title"] for each in sent["embeds"]] == ["Tests"]
    assert [each["filename"] for each in sent["attachments"]] == ["log.txt"]
    assert (await invoker.next("MESSAGE_UPDATE"))["content"] == "failed"
    assert (await invoker.next("MESSAGE_DELETE"))["id"] == sent["id"]

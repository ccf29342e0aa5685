"""Authorization of bots: routes for people, for bots, and for the bot of one application."""

from __future__ import annotations

import re

import pytest

from chatd.rest.routing import (
    APPLICATION,
    APPLICATION_OWNER,
    BOT,
)
from tests.helpers.routes import (
    TABLE,
    assert_permitted,
)
from tests.helpers.shared_stages import SharedStages
from tests.world import Person, World

OF_APPLICATIONS = [
    name for name, route in TABLE.items() if route.needs in (APPLICATION, APPLICATION_OWNER)
]


async def bot_of_alice(world: World) -> Person:
    return await world.bot("bot", owner="alice")


@pytest.mark.parametrize("name", [name for name, route in TABLE.items() if not route.bots])
async def test_routes_for_people_refuse_bots(stages: SharedStages, name: str) -> None:
    async with stages.on(bot_of_alice) as (_, bot):
        names = dict.fromkeys(re.findall(r"\{(\w+)\}", TABLE[name].path), bot.id)
        answer = await bot.rest.call(TABLE[name].method, TABLE[name].path.format(**names), {})
        assert (answer.status, answer.code) == (403, 20001)


@pytest.mark.parametrize("name", [name for name, route in TABLE.items() if route.needs is BOT])
async def test_routes_for_bots_refuse_people(world: World, name: str) -> None:
    alice = await world.person("alice")
    path = TABLE[name].path.format(application_id=alice.id)
    answer = await alice.rest.call(TABLE[name].method, path)
    assert (answer.status, answer.code) == (403, 20002)


async def application_stage(world: World, name: str) -> tuple[str, object]:
    """Create an application `helper` of Alice's with a global command and one in her guild.

    Returns the path of a route about them, and a valid body for it.
    """
    guild = await world.guild(owner="alice", members=["bob"])
    helper = await world.bot("helper", "alice", guild)
    command = {"name": "blep", "description": "x"}
    scope = f"/applications/{helper.id}"
    is_in_guild = "{guild_id}" in TABLE[name].path
    where = f"{scope}/guilds/{guild.id}" if is_in_guild else scope
    made = await helper.rest.post(f"{where}/commands", command)
    ids = {"application_id": helper.id, "guild_id": guild.id, "command_id": made["id"]}
    bodies = {"POST": command, "PUT": [command], "PATCH": {"description": "y"}}
    return TABLE[name].path.format(**ids), bodies.get(TABLE[name].method)


@pytest.mark.parametrize("name", OF_APPLICATIONS)
async def test_routes_of_applications_are_for_their_bots(world: World, name: str) -> None:
    path, body = await application_stage(world, name)
    method = TABLE[name].method
    other = await world.bot("other", "alice")
    refused = await other.rest.call(method, path, body)
    assert (refused.status, refused.code) == (403, 20012)
    for person in ("alice", "bob"):
        answer = await world.rest(person).call(method, path, body)
        if TABLE[name].needs is APPLICATION:
            assert (answer.status, answer.code) == (403, 20002)
        elif person == "bob":
            assert (answer.status, answer.code) == (403, 20012)
        else:
            assert_permitted(answer)
    helper = await world.person("helper")
    assert_permitted(await helper.rest.call(method, path, body))


@pytest.mark.parametrize("name", [name for name in OF_APPLICATIONS if "{guild_id}" in name])
async def test_applications_have_no_commands_in_other_guilds(world: World, name: str) -> None:
    path, body = await application_stage(world, name)
    rival = await world.guild(owner="rival")
    helper = await world.person("helper")
    _, _, _, _, guild_id, *_ = path.split("/")
    elsewhere = path.replace(guild_id, rival.id)
    refused = await helper.rest.call(TABLE[name].method, elsewhere, body)
    assert (refused.status, refused.code) == (403, 50001)
    removed = path.replace(guild_id, helper.id)  # there is no such guild
    refused = await helper.rest.call(TABLE[name].method, removed, body)
    assert (refused.status, refused.code) == (404, 10004)

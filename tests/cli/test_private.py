"""Commands without DATABASE_URL: they find the private servers of a chatd, or start them."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Iterator

import pytest

from tests.cli.conftest import Chatd
from tests.test_cli import Command, command, ended, working_in
from tests.world import world_on


@pytest.fixture
def private(chatd: Chatd) -> Chatd:
    """Commands in a folder of their own, which is told of no servers."""
    del chatd.environment["DATABASE_URL"], chatd.environment["REDIS_URL"]
    return chatd


@pytest.fixture
def served(private: Chatd) -> Iterator[Command]:
    """`chatd serve --embedded` in that folder."""
    with command(private.folder, private.environment, "serve", "--embedded") as run:
        run.wait_until_ready()
        yield run


async def test_beside_a_server_and_after_it(private: Chatd, served: Command) -> None:
    api, gateway = private.environment["API_PORT"], private.environment["GATEWAY_PORT"]
    async with world_on(f"http://127.0.0.1:{api}", f"ws://127.0.0.1:{gateway}/gateway") as world:
        mallory = await world.person("mallory")
        [client] = await world.online("mallory")
        await private.well("user", "disable", mallory.name)
        assert await client.closed() == 4004
        assert (await private.json("stats"))["instance"][0]["worker_id"] == 0
        assert (await private.well("check")).code == 0

    assert await asyncio.to_thread(served.end, signal.SIGTERM) == 0
    assert not (private.folder / "var" / "servers.json").exists()
    assert (await private.json("user", "show", mallory.name))["state"] == "disabled"
    await private.well("user", "create", "ada", "--email", "ada@example.org")
    assert ended(working_in(private.folder))  # what a command starts, it stops


async def test_several_commands_at_once(private: Chatd, served: Command) -> None:
    assert await asyncio.to_thread(served.end, signal.SIGTERM) == 0
    names = ["ada", "bob", "carol"]
    await asyncio.gather(
        *(private.well("user", "create", name, "--email", f"{name}@example.org") for name in names)
    )
    assert {row[1] for row in (await private.well("user", "list")).rows} == set(names)


async def test_a_command_does_not_lend_what_it_is_about_to_stop(
    private: Chatd, served: Command
) -> None:
    told = private.folder / "var" / "servers.json"
    assert told.exists()
    assert await asyncio.to_thread(served.end, signal.SIGTERM) == 0
    running = asyncio.create_task(private.well("stats"))
    while not running.done():
        assert not told.exists()
        await asyncio.sleep(0.002)
    await running


async def test_where_nothing_is(private: Chatd) -> None:
    for words in (["user", "list"], ["migrate"], ["stats"]):
        line = await private.refused(*words, code=2)
        assert line.startswith("chatd: DATABASE_URL: Not set")
    assert not (private.folder / "var").exists()


@pytest.mark.parametrize("name", ["API_PORT", "GATEWAY_PORT"])
async def test_a_port_in_use_is_told_before_anything_starts(private: Chatd, name: str) -> None:
    with socket.create_server(("127.0.0.1", int(private.environment[name]))):
        line = await private.refused("serve", "--embedded")
    assert private.environment[name] in line
    assert not (private.folder / "var").exists()

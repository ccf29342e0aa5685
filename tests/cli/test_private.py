"""Commands without DATABASE_URL: they use the private servers of a chatd, or start them."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Iterator

import pytest

from tests.cli.conftest import Chatd
from tests.helpers.cli import RunningCommand, have_ended, processes_in, running_command
from tests.world import world_on


@pytest.fixture
def private(chatd: Chatd) -> Chatd:
    """Commands in their own folder, without URLs of servers."""
    del chatd.environment["DATABASE_URL"], chatd.environment["REDIS_URL"]
    return chatd


@pytest.fixture
def served(private: Chatd) -> Iterator[RunningCommand]:
    """A running `chatd serve --embedded` in that folder."""
    with running_command(private.folder, private.environment, "serve", "--embedded") as run:
        run.wait_until_ready()
        yield run


async def test_command_works_with_and_without_a_running_server(
    private: Chatd, served: RunningCommand
) -> None:
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
    assert have_ended(processes_in(private.folder))  # a command stops the servers that it starts


async def test_concurrent_commands_succeed(private: Chatd, served: RunningCommand) -> None:
    assert await asyncio.to_thread(served.end, signal.SIGTERM) == 0
    names = ["ada", "bob", "carol"]
    await asyncio.gather(
        *(private.well("user", "create", name, "--email", f"{name}@example.org") for name in names)
    )
    assert {row[1] for row in (await private.well("user", "list")).rows} == set(names)


async def test_command_does_not_share_its_private_servers(
    private: Chatd, served: RunningCommand
) -> None:
    shared_file = private.folder / "var" / "servers.json"
    assert shared_file.exists()
    assert await asyncio.to_thread(served.end, signal.SIGTERM) == 0
    running = asyncio.create_task(private.well("stats"))
    while not running.done():
        assert not shared_file.exists()
        await asyncio.sleep(0.002)
    await running


async def test_command_without_data_fails(private: Chatd) -> None:
    for words in (["user", "list"], ["migrate"], ["stats"]):
        line = await private.refused(*words, code=2)
        assert line.startswith("chatd: DATABASE_URL: Not set")
    assert not (private.folder / "var").exists()


@pytest.mark.parametrize("name", ["API_PORT", "GATEWAY_PORT"])
async def test_port_in_use_is_reported_before_anything_starts(private: Chatd, name: str) -> None:
    with socket.create_server(("127.0.0.1", int(private.environment[name]))):
        line = await private.refused("serve", "--embedded")
    assert private.environment[name] in line
    assert not (private.folder / "var").exists()

"""discord.py-self, a library for clients of people, works here with only its addresses changed.

It cannot be installed beside discord.py, because both packages are named `discord`. The variable
DISCORD_PY_SELF names an interpreter that has it (`pip install discord.py-self`, version 2.1).
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.conftest import ServeMore, repository
from tests.world import PASSWORD, TIMEOUT_S, World, world_on

INTERPRETER = os.environ.get("DISCORD_PY_SELF")


class Program:
    """The running program of `tests/helpers/discord_py_self.py`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ask(self, *command: str) -> Any:
        """Send a command; return its answer."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        async with asyncio.timeout(2 * TIMEOUT_S):
            answer = await self._process.stdout.readline()
        assert answer, "the program has ended"
        return json.loads(answer)


@asynccontextmanager
async def running(world: World, token: str) -> AsyncIterator[Program]:
    """Run the program, logged in with a token."""
    assert INTERPRETER is not None
    process = await asyncio.create_subprocess_exec(
        INTERPRETER,
        str(repository() / "tests" / "helpers" / "discord_py_self.py"),
        env={**os.environ, "API": world.url, "GATEWAY": world.gateway_url, "TOKEN": token},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Program(process)
    finally:
        process.kill()
        await process.wait()


@pytest.mark.skipif(INTERPRETER is None, reason="needs DISCORD_PY_SELF")
async def test_discord_py_self_goes_on_after_its_access_token_expires(
    serve_more: ServeMore,
) -> None:
    async with (
        serve_more(worker_id=3, jwt_access_token_expiry_s=2) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        guild = await world.guild(owner="alice")
        alice, bob = await world.friends("alice", "bob")
        await guild.admit(bob)
        channel = guild.general.id
        dm = (await bob.rest.post("/users/@me/channels", {"recipient_id": alice.id}))["id"]
        login = await world.anonymous.post(
            "/auth/login", {"login": alice.email, "password": PASSWORD, "undelete": False}
        )
        fresh = await world.anonymous.post(
            "/auth/login", {"email": bob.email, "password": PASSWORD}
        )
        bob.rest.token = fresh["token"]
        await bob.rest.post(f"/channels/{dm}/messages", {"content": "in private"})
        async with running(world, login["token"]) as program:
            ready = await program.ask("ready")
            assert ready["user"] == alice.id
            assert ready["guilds"] == {guild.id: [channel]}
            assert (ready["friends"], ready["private"]) == ([bob.id], [bob.id])
            assert await program.ask("members", guild.id) == sorted([alice.id, bob.id])
            is_named, groups = await program.ask("listed", guild.id, channel)
            assert is_named
            assert sum(each["count"] for each in groups) == 2
            async with asyncio.timeout(TIMEOUT_S):  # until an access token has expired
                alice.rest.token = login["access_token"]
                while (await alice.rest.call("GET", "/users/@me")).status == 200:
                    await asyncio.sleep(0.1)
            for _ in range(2):
                await bob.rest.post(f"/channels/{channel}/messages", {"content": "hello"})
                assert await program.ask("next_message") == [bob.id, "hello"]
                sent = await program.ask("say", channel, "hello yourself")
                assert await program.ask("next_message") == [alice.id, "hello yourself"]
                assert sent.isdigit()
                assert await program.ask("cut") is None
            assert await program.ask("complaints") == []

"""Libraries and clients of people work here with only their addresses changed.

Each test needs a program that is installed outside of this project's environment, and a variable
that names it:

- DISCORD_PY_SELF: an interpreter that has discord.py-self (`pip install discord.py-self`, version
  2.1). It cannot be installed beside discord.py, because both packages are named `discord`.
- DISCORD_JS_SELFBOT: a folder in which `npm install discord.js-selfbot-v13` (version 3.7) ran.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from tests.conftest import ServeMore, repository
from tests.world import PASSWORD, TIMEOUT_S, Client, World, world_on

INTERPRETER = os.environ.get("DISCORD_PY_SELF")
SELFBOT = os.environ.get("DISCORD_JS_SELFBOT")
HELPERS = repository() / "tests" / "helpers"


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


async def watch(world: World, token: str) -> Client:
    """Return a gateway client with this token."""
    client = await world.socket()
    await client.identify(token)
    return client


@asynccontextmanager
async def running(command: Sequence[str], **variables: str) -> AsyncIterator[Program]:
    """Run a program with these variables in its environment."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, **variables},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Program(process)
    finally:
        process.kill()
        await process.wait()


def discord_py_self(world: World, token: str) -> AbstractAsyncContextManager[Program]:
    """Run the program with discord.py-self, logged in with a token."""
    assert INTERPRETER is not None
    command = [INTERPRETER, str(HELPERS / "discord_py_self.py")]
    return running(command, API=world.url, GATEWAY=world.gateway_url, TOKEN=token)


def selfbot(world: World, token: str) -> AbstractAsyncContextManager[Program]:
    """Run the program with discord.js-selfbot-v13, logged in with a token."""
    assert SELFBOT is not None
    command = ["node", str(HELPERS / "selfbot_v13.js")]
    return running(command, MODULES=SELFBOT, ORIGIN=world.url, TOKEN=token)


ACCESS_TOKEN_S = 2
TWENTY_MINUTES_S = ACCESS_TOKEN_S * 20 / 15
"""Where 15 minutes, the lifetime of an access token, are ACCESS_TOKEN_S."""


@pytest.mark.skipif(INTERPRETER is None, reason="needs DISCORD_PY_SELF")
async def test_discord_py_self_goes_on_after_its_access_token_expires(
    serve_more: ServeMore,
) -> None:
    async with (
        serve_more(worker_id=3, jwt_access_token_expiry_s=ACCESS_TOKEN_S) as server,
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
        logged_in_at = asyncio.get_running_loop().time()
        fresh = await world.anonymous.post(
            "/auth/login", {"email": bob.email, "password": PASSWORD}
        )
        bob.rest.token = fresh["token"]
        await bob.rest.post(f"/channels/{dm}/messages", {"content": "in private"})
        async with discord_py_self(world, login["token"]) as program:
            ready = await program.ask("ready")
            assert ready["user"] == alice.id
            assert ready["guilds"] == {guild.id: [channel]}
            assert (ready["friends"], ready["private"]) == ([bob.id], [bob.id])
            assert await program.ask("members", guild.id) == sorted([alice.id, bob.id])
            is_named, groups = await program.ask("listed", guild.id, channel)
            assert is_named
            assert sum(each["count"] for each in groups) == 2
            watching = await watch(world, fresh["token"])
            alice.rest.token = login["access_token"]
            has_passed = False
            while not has_passed:
                elapsed = asyncio.get_running_loop().time() - logged_in_at
                has_passed = elapsed >= TWENTY_MINUTES_S
                if has_passed:
                    assert (await alice.rest.call("GET", "/users/@me")).status == 401
                said = await bob.rest.post(f"/channels/{channel}/messages", {"content": "hello"})
                assert await program.ask("next_message") == [bob.id, "hello"]
                await program.ask("type_in", channel)
                assert (await watching.next("TYPING_START")).d["user_id"] == alice.id
                sent = await program.ask("say", channel, "hello yourself")
                assert await program.ask("next_message") == [alice.id, "hello yourself"]
                assert sent.isdigit()
                assert await program.ask("react_and_read", channel, said["id"]) == ["👍"]
                private = await program.ask("say", dm, "in private")
                assert await program.ask("next_message") == [alice.id, "in private"]
                assert private.isdigit()
                assert await program.ask("cut") is None
            assert await program.ask("identify_again") is None
            await bob.rest.post(f"/channels/{channel}/messages", {"content": "still there?"})
            assert await program.ask("next_message") == [bob.id, "still there?"]
            assert await program.ask("complaints") == []


@pytest.mark.skipif(SELFBOT is None, reason="needs DISCORD_JS_SELFBOT")
async def test_selfbot_v13_chats_and_resumes(serve_more: ServeMore) -> None:
    async with (
        serve_more(worker_id=3, jwt_access_token_expiry_s=ACCESS_TOKEN_S) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        guild = await world.guild(owner="alice")
        alice, bob = await world.friends("alice", "bob")
        await guild.admit(bob)
        channel = guild.general.id
        credentials = {"login": alice.email, "password": PASSWORD}
        login = await world.anonymous.post("/auth/login", credentials)
        theirs = await world.anonymous.post(
            "/auth/login", {"email": bob.email, "password": PASSWORD}
        )
        bob.rest.token = theirs["token"]
        async with selfbot(world, login["token"]) as program:
            ready = await program.ask("ready")
            assert ready == {
                "user": alice.id,
                "guilds": {guild.id: [channel]},
                "friends": [bob.id],
                "private": [],
            }
            watching = await watch(world, theirs["token"])
            assert await program.ask("members", guild.id) == sorted([alice.id, bob.id])
            dm = await program.ask("open_private", bob.id)
            alice.rest.token = login["access_token"]
            has_expired = False
            while not has_expired:
                has_expired = (await alice.rest.call("GET", "/users/@me")).status == 401
                said = await bob.rest.post(f"/channels/{channel}/messages", {"content": "hello"})
                assert await program.ask("next_message") == [bob.id, "hello"]
                await program.ask("type_in", channel)
                assert (await watching.next("TYPING_START")).d["user_id"] == alice.id
                await bob.rest.post(f"/channels/{channel}/typing")
                while await program.ask("next_typing") != bob.id:
                    pass
                sent = await program.ask("say", channel, "hello yourself")
                assert await program.ask("next_message") == [alice.id, "hello yourself"]
                assert await program.ask("edit", channel, sent, "hello, Bob") == "hello, Bob"
                assert await program.ask("reply", channel, said["id"], "indeed") == "REPLY"
                assert await program.ask("next_message") == [alice.id, "indeed"]
                assert await program.ask("history", channel) == ["indeed", "hello, Bob", "hello"]
                assert await program.ask("react_and_read", channel, said["id"]) == ["👍", alice.id]
                assert (await program.ask("say", dm, "in private")).isdigit()
                assert await program.ask("next_message") == [alice.id, "in private"]
                assert await program.ask("cut") is None
            assert await program.ask("complaints") == []

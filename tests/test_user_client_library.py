"""Libraries and clients of people work here with only their addresses changed.

Each test needs a program that is installed outside of this project's environment.
`scripts/libraries` installs discord.js-selfbot-v13 and discord.py-self, which conflicts with
discord.py: both packages are named `discord`. A variable names the other one:

- ENDCORD: a folder with the source of endcord (version 1.5, sparklost/endcord at GitHub), and in it
  `.venv` with Python 3.12 or later, websocket-client and orjson.
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
from tests.helpers.bot_programs import installed
from tests.world import PASSWORD, TIMEOUT_S, Client, Person, World, befriend, world_on

Json = dict[str, Any]

INTERPRETER = installed("discord.py-self", "bin/python")
SELFBOT = installed("selfbot", "node_modules")
ENDCORD = os.environ.get("ENDCORD")
HELPERS = repository() / "tests" / "helpers"


class Program:
    """A running program, which answers commands."""

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


def endcord(world: World, token: str) -> AbstractAsyncContextManager[Program]:
    """Run the program with endcord, logged in with a token."""
    assert ENDCORD is not None
    command = [f"{ENDCORD}/.venv/bin/python", str(HELPERS / "endcord_client.py")]
    return running(command, ENDCORD=ENDCORD, HOST=world.url, TOKEN=token)


async def logged_in(world: World, *names: str) -> list[tuple[Person, Json]]:
    """Return people that call the API with their client tokens, and the answers to their logins.

    The access tokens of other tests would expire in the middle of these ones.
    """
    found = []
    for name in names:
        person = await world.person(name)
        login = await world.anonymous.post(
            "/auth/login", {"login": person.email, "password": PASSWORD, "undelete": False}
        )
        person.rest.token = login["token"]
        found.append((person, login))
    return found


async def has_expired(world: World, access_token: str) -> bool:
    """Return whether an access token is not accepted any more."""
    headers = {"Authorization": access_token}
    return (await world.anonymous.call("GET", "/users/@me", headers=headers)).status == 401


ACCESS_TOKEN_S = 2
TWENTY_MINUTES_S = ACCESS_TOKEN_S * 20 / 15
"""Where 15 minutes, the lifetime of an access token, are ACCESS_TOKEN_S."""


@pytest.mark.skipif(INTERPRETER is None, reason="needs scripts/libraries")
async def test_discord_py_self_goes_on_after_its_access_token_expires(
    serve_more: ServeMore,
) -> None:
    async with (
        serve_more(worker_id=3, jwt_access_token_expiry_s=ACCESS_TOKEN_S) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        began_at = asyncio.get_running_loop().time()
        (alice, login), (bob, theirs) = await logged_in(world, "alice", "bob")
        await befriend(alice, bob)
        guild = await world.guild(owner="alice", members=["bob"])
        channel = guild.general.id
        dm = (await bob.rest.post("/users/@me/channels", {"recipient_id": alice.id}))["id"]
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
            watching = await watch(world, theirs["token"])
            is_over = False
            while not is_over:
                is_over = asyncio.get_running_loop().time() - began_at >= TWENTY_MINUTES_S
                if is_over:
                    assert await has_expired(world, login["access_token"])
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


@pytest.mark.skipif(SELFBOT is None, reason="needs scripts/libraries")
async def test_selfbot_v13_chats_and_resumes(serve_more: ServeMore) -> None:
    async with (
        serve_more(worker_id=3, jwt_access_token_expiry_s=ACCESS_TOKEN_S) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        (alice, login), (bob, theirs) = await logged_in(world, "alice", "bob")
        await befriend(alice, bob)
        guild = await world.guild(owner="alice", members=["bob"])
        channel = guild.general.id
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
            is_over = False
            while not is_over:
                is_over = await has_expired(world, login["access_token"])
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


@pytest.mark.skipif(ENDCORD is None, reason="needs ENDCORD")
async def test_endcord_chats_and_resumes(serve_more: ServeMore) -> None:
    async with (
        serve_more(
            worker_id=3, jwt_access_token_expiry_s=ACCESS_TOKEN_S, heartbeat_interval_ms=4000
        ) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        (alice, login), (bob, theirs) = await logged_in(world, "alice", "bob")
        await befriend(alice, bob)
        guild = await world.guild(owner="alice", members=["bob"])
        channel = guild.general.id
        dm = (await bob.rest.post("/users/@me/channels", {"recipient_id": alice.id}))["id"]
        await bob.rest.post(f"/channels/{dm}/messages", {"content": "in private"})
        async with endcord(world, login["token"]) as program:
            ready = await program.ask("ready")
            assert ready == {"user": alice.id, "guilds": {guild.id: [channel]}, "private": [dm]}
            watching = await watch(world, theirs["token"])
            online = await program.ask("subscribe", channel, guild.id, "2")
            assert online == sorted([alice.id, bob.id])
            is_over = False
            while not is_over:
                is_over = await has_expired(world, login["access_token"])
                said = await bob.rest.post(f"/channels/{channel}/messages", {"content": "hello"})
                assert await program.ask("next_message") == [bob.id, "hello"]
                assert await program.ask("type_in", channel) is True
                assert (await watching.next("TYPING_START")).d["user_id"] == alice.id
                await bob.rest.post(f"/channels/{channel}/typing")
                while await program.ask("next_typing") != bob.id:
                    pass
                await program.ask("say", channel, "hello yourself")
                sent = (await watching.next("MESSAGE_CREATE")).d
                assert (sent["author"]["id"], sent["content"]) == (alice.id, "hello yourself")
                assert await program.ask("next_message") == [alice.id, "hello yourself"]
                assert await program.ask("react_and_read", channel, said["id"]) == [True] * 4
                await program.ask("say", dm, "in private")
                assert (await watching.next("MESSAGE_CREATE")).d["channel_id"] == dm
                assert (await program.ask("history", dm))[0] == "in private"
                session = await program.ask("sessions")
                await program.ask("beats")
                assert await program.ask("complaints") == []
                await program.ask("cut")
                assert await program.ask("sessions") == session

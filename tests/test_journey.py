"""The whole way once, as a stranger's tools go it: curl for REST, websockets for the gateway."""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
from typing import Any

import pytest

from tests.conftest import Server
from tests.world import PASSWORD, WITHOUT_PRESENCES, World, like

CURL = shutil.which("curl")


@pytest.mark.skipif(CURL is None, reason="curl is not installed")
async def test_two_people_meet_chat_lose_each_other_and_come_back(
    server: Server, world: World
) -> None:
    async def curl(method: str, path: str, token: str = "", body: object = None) -> Any:
        assert CURL is not None
        command = [CURL, "-sS", "--fail-with-body", "-X", method, server.url + path]
        if token:
            command += ["-H", f"Authorization: Bearer {token}"]
        if body is not None:
            command += ["-H", "Content-Type: application/json", "-d", json.dumps(body)]
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        output, complaint = await process.communicate()
        assert process.returncode == 0, (output, complaint)
        return json.loads(output) if output else None

    async def register(name: str) -> str:
        unique = f"{name}.{secrets.token_hex(4)}"
        body = {"username": unique, "email": f"{unique}@example.org", "password": PASSWORD}
        return str((await curl("POST", "/auth/register", body=body))["access_token"])

    ada, bob = await register("ada"), await register("bob")
    guild = await curl("POST", "/guilds", ada, {"name": "Engine"})
    channel = guild["system_channel_id"]
    invite = await curl("POST", f"/channels/{channel}/invites", ada, {})

    bob_client = await world.socket()
    await bob_client.identify(bob, intents=WITHOUT_PRESENCES)
    await curl("POST", f"/invites/{invite['code']}", bob)
    assert (await bob_client.next("GUILD_CREATE")).d["id"] == guild["id"]
    assert (await bob_client.next("MESSAGE_CREATE")).d["type"] == 7  # he has joined
    ada_client = await world.socket()
    await ada_client.identify(ada, intents=WITHOUT_PRESENCES)

    messages = f"/channels/{channel}/messages"
    first = await curl("POST", messages, ada, {"content": "Hello, Bob"})
    second = await curl("POST", messages, bob, {"content": "Hello, Ada"})
    for client in (ada_client, bob_client):
        assert (await client.next("MESSAGE_CREATE")).d["id"] == first["id"]
        assert (await client.next("MESSAGE_CREATE")).d["id"] == second["id"]
    await curl("PATCH", f"{messages}/{first['id']}", ada, {"content": "Hello, dear Bob"})
    assert (await bob_client.next("MESSAGE_UPDATE")).d == like(content="Hello, dear Bob")
    await curl("DELETE", f"{messages}/{second['id']}", bob)
    assert (await ada_client.next("MESSAGE_DELETE")).d["id"] == second["id"]

    assert len(await bob_client.received_before_fence()) == 1  # the deletion, of his own message
    await bob_client.cut()
    missed = await curl("POST", messages, ada, {"content": "Are you there?"})
    again = await world.socket()
    again.seq = bob_client.seq
    session = bob_client.ready["session_id"]
    await again.send(6, {"token": bob, "session_id": session, "seq": bob_client.seq})
    assert (await again.next("MESSAGE_CREATE")).d["id"] == missed["id"]
    assert (await again.next("RESUMED")).d == {}
    assert [each["content"] for each in await curl("GET", messages, bob)] == [
        "Are you there?",
        "Hello, dear Bob",
        "",
    ]

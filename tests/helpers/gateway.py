"""Steps of gateway clients that several tests take."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chatd.gateway import send_queue
from chatd.gateway.handler import GATEWAY
from chatd.services.guilds import member_chunks
from tests.conftest import Server
from tests.world import Client, Guild, Person, World


async def send_messages(world: World, guild: Guild, *contents: str) -> list[str]:
    """Send messages as the guild's owner; return their ids."""
    path = f"/channels/{guild.general.id}/messages"
    sent = [await guild.owner.rest.post(path, {"content": content}) for content in contents]
    return [message["id"] for message in sent]


async def replayed_messages(client: Client) -> list[str]:
    """Receive a replay up to RESUMED; return the ids of its messages."""
    ids: list[str] = []
    while True:
        dispatched = await client.next_of("MESSAGE_CREATE", "RESUMED")
        if dispatched.t == "RESUMED":
            assert dispatched.d == {}
            return ids
        ids.append(dispatched.d["id"])


async def expect_invalid_session(client: Client) -> None:
    """Receive INVALID_SESSION, which says that the session cannot be resumed."""
    assert (await client.next_op(9))["d"] is False


async def wait_until_sessions_expire(server: Server) -> None:
    """Wait until the server has no sessions."""
    assert server.runner.app is not None
    hub = server.runner.app[GATEWAY].hub
    async with asyncio.timeout(60):
        while len(hub):
            await asyncio.sleep(0.02)


async def start_member_request(
    monkeypatch: pytest.MonkeyPatch, guild: Guild, client: Client
) -> None:
    """Request all members in chunks of one; each must be read before the next is sent."""
    monkeypatch.setattr(member_chunks, "CHUNK_SIZE", 1)
    monkeypatch.setattr(send_queue, "_LOW_WATER_BYTES", -1)
    await client.send(8, {"guild_id": guild.id, "query": "", "limit": 0})
    await client.next("GUILD_MEMBERS_CHUNK")


async def next_status(client: Client, person: Person, status: str) -> dict[str, Any]:
    """Wait for a presence update of a person with this status; return it."""
    while True:
        update = (await client.next("PRESENCE_UPDATE")).d
        if update["user"]["id"] == person.id and update["status"] == status:
            return dict(update)

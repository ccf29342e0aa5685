"""Ephemeral messages: only their user ever receives them, and nothing else shows or counts them."""

from __future__ import annotations

from typing import Any

import pytest

from chatd.db.pool import Database
from chatd.services.maintenance import janitor
from tests.conftest import ServeMore
from tests.helpers.attachments import (
    Counted,
    download,
    message_form,
    png_bytes,
    send_form,
)
from tests.helpers.interactions import BUTTON, ROW, Received, Stage, interaction_stage
from tests.rest.searching import texts
from tests.world import World, like, world_on


async def _whisper(stage: Stage, name: str, content: str = "only for you") -> Received:
    received = await stage.click(await stage.world.person(name))
    await received.respond(4, content=content, flags=64)
    return received


async def test_only_the_user_receives_an_ephemeral_message(
    world: World, database: Database
) -> None:
    stage = await interaction_stage(world, database, "bob", "carol")
    clients = await world.online("bob", "bob", "alice", "carol")
    received = await stage.click(await world.person("bob"))

    made = await received.respond(4, content="only for you", flags=64)
    message = made["resource"]["message"]
    await world.anonymous.patch(received.original, {"content": "changed"})
    await world.anonymous.delete(received.original)

    assert made["interaction"]["response_message_ephemeral"] is True
    assert message == like(content="only for you", flags=64, author=like(id=stage.bot.id))
    for client in clients[:2]:
        created = (await client.next("MESSAGE_CREATE")).d
        assert created == like(
            id=message["id"],
            channel_id=stage.guild.general.id,
            guild_id=stage.guild.id,
            flags=64,
            nonce="1",
            member=like(roles=[]),
        )
        assert (await client.next("MESSAGE_UPDATE")).d == like(
            id=message["id"], content="changed", guild_id=stage.guild.id
        )
        assert (await client.next("MESSAGE_DELETE")).d == {
            "id": message["id"],
            "channel_id": stage.guild.general.id,
            "guild_id": stage.guild.id,
        }
    for client in (*clients[2:], stage.client):
        assert await client.received_before_fence() == []


async def test_nothing_shows_or_counts_an_ephemeral_message(
    world: World, database: Database
) -> None:
    stage = await interaction_stage(world, database, "bob")
    bob = await world.person("bob")
    channel = stage.guild.general.id
    received = await _whisper(stage, "bob")
    followed = await received.follow_up(content="only for you, too <@&1>", flags=64)
    message_id = (await world.anonymous.get(received.original))["id"]

    for rest in (bob.rest, stage.guild.owner.rest, stage.bot.rest):
        page = await rest.get(f"/channels/{channel}/messages?around={message_id}")
        assert [each["id"] for each in page] == [stage.message["id"]]
        for method, path in (
            ("GET", f"/channels/{channel}/messages/{message_id}"),
            ("DELETE", f"/channels/{channel}/messages/{message_id}"),
            ("PUT", f"/channels/{channel}/messages/{message_id}/reactions/%F0%9F%91%8D/@me"),
        ):
            answer = await rest.call(method, path)
            assert (answer.status, answer.code) == (404, 10008), path
    pin = f"/channels/{channel}/messages/pins/{message_id}"
    assert (await stage.guild.owner.rest.call("PUT", pin)).code == 10008
    answer = await stage.bot.rest.call(
        "PATCH", f"/channels/{channel}/messages/{followed['id']}", {"content": "x"}
    )
    assert answer.code == 10008
    reply = {"content": "x", "message_reference": {"message_id": message_id}}
    answer = await bob.rest.call("POST", f"/channels/{channel}/messages", reply)
    assert answer.status == 400
    assert await texts(bob.rest, stage.guild, content="only for you") == []
    [state] = [
        each for each in await bob.rest.get("/users/@me/read-states") if each["id"] == channel
    ]
    assert state["unread_count"] == 1  # the message with the button
    [shown] = await bob.rest.get(f"/guilds/{stage.guild.id}/channels")
    assert shown["last_message_id"] == stage.message["id"]


async def test_components_of_an_ephemeral_message_work_for_its_user_only(
    world: World, database: Database
) -> None:
    stage = await interaction_stage(world, database, "bob", "carol")
    bob, carol = await world.people("bob", "carol")
    [bobs] = await world.online("bob")
    received = await _whisper(stage, "bob")
    whispered = await world.anonymous.get(received.original)
    async with database.cursor() as cur:
        await cur.execute(
            "UPDATE ephemeral_messages SET components = (SELECT components FROM messages"
            " WHERE id = %(from)s) WHERE id = %(id)s",
            {"from": int(stage.message["id"]), "id": int(whispered["id"])},
        )
    place = {"message_id": whispered["id"], "message_flags": 64}
    answer = await carol.rest.call("POST", "/interactions", stage.body(**place))
    assert (answer.status, answer.code) == (404, 10008)
    answer = await bob.rest.call(
        "POST", "/interactions", stage.body(message_id=whispered["id"], message_flags=0)
    )
    assert (answer.status, answer.code) == (404, 10008)

    again = await stage.click(bob, **place)
    assert again.payload["message"] == like(
        id=whispered["id"], flags=64, components=[{**ROW, "components": [BUTTON]}]
    )
    made = await again.respond(7, content="pressed")
    assert made["resource"]["message"] == like(id=whispered["id"], content="pressed", flags=64)
    assert (await bobs.next("MESSAGE_UPDATE")).d == like(id=whispered["id"], content="pressed")
    public = await again.follow_up(content="for all")
    assert (public["type"], "message_reference" in public) == (0, False)


async def test_deferred_ephemeral_response_stays_ephemeral(
    world: World, database: Database
) -> None:
    stage = await interaction_stage(world, database, "bob")
    [alices] = await world.online("alice")
    received = await stage.click(await world.person("bob"))

    made = await received.respond(5, flags=64)
    first = await received.follow_up(content="one")
    second = await received.follow_up(content="two")

    assert made["interaction"] == like(
        response_message_loading=True, response_message_ephemeral=True
    )
    assert first == like(id=made["interaction"]["response_message_id"], flags=64, content="one")
    assert second["flags"] == 0
    assert [each.d["content"] for each in await alices.received_before_fence()] == ["two"]


async def test_user_that_left_receives_no_ephemeral_message(
    world: World, database: Database
) -> None:
    stage = await interaction_stage(world, database, "bob")
    bob = await world.person("bob")
    [bobs] = await world.online("bob")
    received = await stage.click(bob)
    await received.respond(4, content="before", flags=64)
    await bob.rest.delete(f"/users/@me/guilds/{stage.guild.id}")
    await bobs.next("GUILD_DELETE")

    for method, path, body in (
        ("POST", received.webhook, {"content": "after", "flags": 64}),
        ("PATCH", received.original, {"content": "after"}),
    ):
        answer = await world.anonymous.call(method, path, body)
        assert (answer.status, answer.code) == (403, 50001)

    assert await bobs.received_before_fence() == []


async def test_ephemeral_message_is_resumed_by_its_user_only(
    world: World, database: Database, serve_more: ServeMore
) -> None:
    stage = await interaction_stage(world, database, "bob", "carol")
    async with serve_more(worker_id=9) as server, world_on(server.url, server.gateway_url) as there:
        there.share_people(world)
        [bobs, carols] = await there.online("bob", "carol")
        await bobs.cut()
        await carols.cut()
        received = await stage.click(await world.person("bob"))
        elsewhere = Received(received.payload, there.anonymous)
        made = await elsewhere.respond(4, content="missed", flags=64)  # on another instance
        bobs = await there.resumed("bob", bobs)
        assert (await bobs.next("MESSAGE_CREATE")).d["id"] == (
            made["interaction"]["response_message_id"]
        )
        carols = await there.resumed("carol", carols)
        await carols.next("RESUMED")
        assert await carols.received_before_fence() == []


async def test_files_of_ephemeral_messages_live_as_long_as_they_do(
    world: World, database: Database, pending_uploads: Counted
) -> None:
    stage = await interaction_stage(world, database, "bob")
    received = await stage.click(await world.person("bob"))
    data = {"content": "see", "flags": 64, "attachments": [{"id": 0, "description": "d"}]}
    form = message_form({"type": 4, "data": data}, ("a.png", png_bytes()), ("b.txt", b"b"))
    answer = await send_form(world.anonymous, f"{received.callback}?with_response=1", form)
    [picture, text] = answer.json["resource"]["message"]["attachments"]
    assert (picture["ephemeral"], text["ephemeral"]) == (True, True)
    assert picture == like(filename="a.png", width=3, description="d")
    assert (await download(world, picture["url"])).raw == png_bytes()

    form = message_form({"attachments": [{"id": picture["id"]}]}, ("c.txt", b"c"))
    changed = (await send_form(world.anonymous, received.original, form, "PATCH")).json
    assert [each["filename"] for each in changed["attachments"]] == ["a.png", "c.txt"]
    assert (await download(world, text["url"])).status == 404
    await world.anonymous.delete(received.original)
    assert (await download(world, picture["url"])).status == 404
    assert pending_uploads() == 0


async def test_files_of_responses_and_follow_ups(
    world: World, database: Database, pending_uploads: Counted
) -> None:
    stage = await interaction_stage(world, database, "bob")
    received = await stage.click(await world.person("bob"))
    refused = message_form({"type": 4, "data": {"content": "x" * 3000}}, ("a.txt", b"a"))
    assert (await send_form(world.anonymous, received.callback, refused)).status == 400
    form = message_form({"type": 4, "data": {"content": "see"}}, ("a.txt", b"a"))
    assert (await send_form(world.anonymous, received.callback, form)).status == 204
    late = await send_form(world.anonymous, received.callback, form)
    assert (late.status, late.code) == (400, 40060)
    follow_up = message_form({"content": "more"}, ("b.txt", b"b"))
    sent = (await send_form(world.anonymous, received.webhook, follow_up)).json
    assert [each["filename"] for each in sent["attachments"]] == ["b.txt"]
    stranger = await send_form(world.anonymous, f"{received.webhook}x", follow_up)
    assert (stranger.status, stranger.code) == (401, 50027)
    path = f"/channels/{stage.guild.general.id}/messages"
    names: list[Any] = [
        [file["filename"] for file in message["attachments"]]
        for message in await stage.guild.owner.rest.get(path)
    ]
    assert names == [["b.txt"], ["a.txt"], []]
    assert pending_uploads() == 0


async def test_old_rows_are_deleted(
    world: World, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = await interaction_stage(world, database, "bob")
    received = await stage.click(await world.person("bob"))
    form = message_form({"type": 4, "data": {"content": "x", "flags": 64}}, ("a.txt", b"a"))
    await send_form(world.anonymous, received.callback, form)
    recent = await _whisper(stage, "bob")
    monkeypatch.setattr(janitor, "_id_at_age", lambda _: int(recent.id))
    for expired in janitor.EXPIRED:
        if "interactions" in expired.__name__ or "ephemeral" in expired.__name__:
            await janitor.delete_expired(database, expired)
    async with database.cursor() as cur:
        for table, column in (
            ("interactions", "id"),
            ("ephemeral_messages", "id"),
            ("ephemeral_attachments", "message_id"),
        ):
            await cur.execute(
                f"SELECT count(*) FROM {table} WHERE {column} < %(id)s"
                " AND channel_id = %(channel_id)s",
                {"id": int(recent.id), "channel_id": int(stage.guild.general.id)},
            )
            assert (await cur.fetchone()) == (0,), table
    assert (await world.anonymous.get(recent.original))["content"] == "only for you"
    assert (await world.anonymous.call("GET", received.original)).code == 50027

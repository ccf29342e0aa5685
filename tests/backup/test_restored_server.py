"""A server that is restored from a backup, which was taken while clients sent messages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from tests.backup.conftest import TEXT, NewPlace, Place, Scene, path_of
from tests.cli.conftest import Chatd
from tests.conftest import ServeMore
from tests.helpers.attachments import message_form, send_form
from tests.rest.searching import say, search
from tests.world import Rest, world_on

PASSPHRASE = "correct horse battery staple"


async def _all_messages(rest: Rest, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    before = ""
    while page := await rest.get(f"{path}?limit=100{before}"):
        found += page
        before = f"&before={page[-1]['id']}"
    return found[::-1]


async def test_backup_under_load_has_every_acknowledged_message(
    at_source: Chatd,
    scene: Scene,
    new_place: NewPlace,
    command_at: Callable[[Place], Chatd],
    serve_more: ServeMore,
) -> None:
    acknowledged: list[str] = []
    ended = asyncio.Event()

    async def write(person: str) -> None:
        while not ended.is_set():
            acknowledged.extend(
                await say(scene.world.rest(person), scene.guild.general, f"{len(acknowledged)}")
            )
            await scene.attach(f"{len(acknowledged)}.txt", f"{len(acknowledged)}".encode())

    writing = [asyncio.create_task(write(name)) for name in ("alice", "bob")]
    while len(acknowledged) < 20:
        await asyncio.sleep(0.01)
    before = [*acknowledged]
    (at_source.folder / "phrase").write_text(PASSPHRASE)
    secret = ("--with-secrets", "--passphrase-file", "phrase")
    made = await at_source.json("backup", "chatd.tar", *secret)
    ended.set()
    await asyncio.gather(*writing)
    assert len(acknowledged) > len(before)

    place = new_place()
    restored = await command_at(place).json(
        "restore", "chatd.tar", "--yes", "--settings-to", "old", *secret
    )
    assert restored["messages"] == made["messages"]
    assert (restored["missing_files"], restored["was_restored"]) == (0, False)
    key = (at_source.folder / "old" / "credentials" / "jwt_secret").read_text().strip()
    async with (
        serve_more(**place.settings, jwt_secret=key) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        world.share_people(scene.world)  # with the tokens of the server that was backed up
        alice, bob = world.rest("alice"), world.rest("bob")
        found = await _all_messages(alice, scene.path)
        ids = [each["id"] for each in found]
        assert set(before) <= set(ids)
        at_old = [each["id"] for each in await _all_messages(scene.member.rest, scene.path)]
        assert ids == at_old[: len(ids)]  # nothing is missing in between
        for each in found:
            for file in each["attachments"]:
                answer = await world.anonymous.call("GET", path_of(file["url"]))
                assert len(answer.raw) == file["size"]
        assert (await world.anonymous.call("GET", path_of(_link(found, "fox.txt")))).raw == TEXT
        assert [
            hits[0]["content"]
            for hits in (await search(bob, scene.guild, content="FOX b"))["messages"]
        ] == ["The quick brown fox"]
        [client] = await world.online("bob")
        answer = await send_form(alice, scene.path, message_form({}, ("new.txt", b"new")))
        assert answer.status == 200
        assert int(answer.json["id"]) > max(map(int, acknowledged))
        assert (await client.next("MESSAGE_CREATE")).d["id"] == answer.json["id"]
        link = path_of(answer.json["attachments"][0]["url"])
        assert (await world.anonymous.call("GET", link)).raw == b"new"
        user = await alice.get("/users/@me")
        path = f"/avatars/{user['id']}/{user['avatar']}.png"
        assert (await world.anonymous.call("GET", path)).status == 200


def _link(messages: list[dict[str, Any]], name: str) -> str:
    [url] = [
        file["url"] for each in messages for file in each["attachments"] if file["filename"] == name
    ]
    return str(url)

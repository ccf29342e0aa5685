"""Uploads by reference, and links to files that are made valid again."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from chatd.auth.signed_urls import SignedUrls
from chatd.core.permissions import Permissions as P
from chatd.services.maintenance import janitor
from chatd.services.media import reserved_uploads
from chatd.web.keys import DEPENDENCIES
from tests.conftest import ServeMore, Server
from tests.helpers.attachments import (
    PUBLIC_URL,
    Counted,
    download,
    guild_with_member,
    message_form,
    png_bytes,
    send_form,
)
from tests.world import Answer, Person, World, like, world_on

REFRESH = "/attachments/refresh-urls"


def wanted(*sizes: int, name: str = "notes.txt") -> dict[str, Any]:
    return {
        "files": [{"id": n, "filename": name, "file_size": size} for n, size in enumerate(sizes)]
    }


async def reserve(person: Person, path: str, name: str = "notes.txt") -> dict[str, Any]:
    where = path.removesuffix("messages") + "attachments"
    [reserved] = (await person.rest.post(where, wanted(3, name=name)))["attachments"]
    return dict(reserved)


async def upload(
    world: World, reserved: dict[str, Any], data: bytes | io.BytesIO, **options: Any
) -> Answer:
    """Upload a file as libraries of clients do it: without a login."""
    url = reserved["upload_url"]
    assert url.startswith(PUBLIC_URL)
    return await world.anonymous.call("PUT", url.removeprefix(PUBLIC_URL), data=data, **options)


async def uploaded(
    world: World, person: Person, path: str, data: bytes = b"abc", name: str = "notes.txt"
) -> str:
    """Return the name of a file that was uploaded for a message."""
    reserved = await reserve(person, path, name)
    assert (await upload(world, reserved, data)).status == 200
    return str(reserved["upload_filename"])


def message(*names: str, **more: Any) -> dict[str, Any]:
    files = [{"id": str(n), "uploaded_filename": name} for n, name in enumerate(names)]
    return {"content": "look", "attachments": [{**each, **more} for each in files]}


async def sql(server: Server, statement: str) -> Any:
    with psycopg2.connect(server.config.database_url) as connection, connection.cursor() as cur:
        cur.execute(statement)
        rows = cur.fetchall() if cur.description else None
    connection.close()
    return rows


def stored_files(server: Server) -> set[Path]:
    """List the files of this server. Its janitor may delete those of other tests at any moment."""
    return set((server.config.files_dir / "attachments").iterdir())


async def test_message_has_files_that_were_uploaded_before(world: World, server: Server) -> None:
    guild, path, bob = await guild_with_member(world)
    [client] = await world.online("alice")
    answer = await bob.rest.post(f"/channels/{guild.general.id}/attachments", wanted(68, 3))
    first, second = answer["attachments"]
    assert (first["id"], second["id"]) == ("0", "1")
    assert first["upload_filename"].endswith("/notes.txt")
    empty_type = {"Content-Type": "", "Cache-Control": "no-cache"}
    assert (await upload(world, first, png_bytes(), headers=empty_type)).status == 200
    assert (await upload(world, second, b"abc")).status == 200
    payload = {
        "content": "look",
        "attachments": [
            {
                "id": "0",
                "filename": "p.png",
                "uploaded_filename": first["upload_filename"],
                "description": "a picture",
            },
            {"id": "1", "uploaded_filename": second["upload_filename"]},
        ],
    }
    sent = await bob.rest.post(path, payload)
    picture, notes = sent["attachments"]
    assert picture == like(filename="p.png", content_type="image/png", width=3, height=2)
    assert picture["description"] == "a picture"
    assert notes == like(filename="notes.txt", size=3)
    assert (await client.next("MESSAGE_CREATE")).d["attachments"] == sent["attachments"]
    assert (await download(world, picture["url"])).raw == png_bytes()
    assert (await download(world, notes["url"])).raw == b"abc"
    left = f"SELECT count(*) FROM reserved_uploads WHERE owner_id = {bob.id}"
    assert await sql(server, left) == [(0,)]


async def test_form_and_edit_can_name_uploads(world: World) -> None:
    _, path, bob = await guild_with_member(world)
    payload = {
        "attachments": [{"id": 1, "uploaded_filename": await uploaded(world, bob, path, b"second")}]
    }
    sent = (await send_form(bob.rest, path, message_form(payload, ("a.txt", b"first")))).json
    assert [each["filename"] for each in sent["attachments"]] == ["a.txt", "notes.txt"]
    kept = {"id": sent["attachments"][0]["id"]}
    added = {"id": "0", "uploaded_filename": await uploaded(world, bob, path, b"third", "c.txt")}
    edited = await bob.rest.patch(f"{path}/{sent['id']}", {"attachments": [kept, added]})
    assert [each["filename"] for each in edited["attachments"]] == ["a.txt", "c.txt"]
    assert (await download(world, edited["attachments"][1]["url"])).raw == b"third"


async def test_upload_is_for_one_message_of_one_user_in_one_channel(world: World) -> None:
    guild, path, bob = await guild_with_member(world)
    other = await guild.owner.rest.post(f"/guilds/{guild.id}/channels", {"name": "other"})
    name = await uploaded(world, bob, path)
    elsewhere = f"/channels/{other['id']}/messages"
    for person, where in ((guild.owner, path), (bob, elsewhere)):
        refused = await person.rest.call("POST", where, message(name))
        assert (refused.status, refused.code) == (400, 50035)
    empty = await reserve(bob, path)
    for wrong in (empty["upload_filename"], "1/notes.txt", "x", "../etc", "\u0661", "9" * 30):
        refused = await bob.rest.call("POST", path, message(wrong))
        assert (refused.status, refused.code) == (400, 50035)
    twice = await bob.rest.call("POST", path, message(name, name))
    assert (twice.status, twice.code) == (400, 50035)
    assert (await bob.rest.call("POST", path, message(name))).status == 200
    again = await bob.rest.call("POST", path, message(name))
    assert (again.status, again.code) == (400, 50035)


async def test_webhook_has_no_uploads_of_its_creator(world: World) -> None:
    """Everyone that has its token could send them."""
    _, path, _ = await guild_with_member(world)
    alice = await world.person("alice")
    name = await uploaded(world, alice, path)
    made = await alice.rest.post(f"{path.removesuffix('messages')}webhooks", {"name": "Builds"})
    token = f"/webhooks/{made['id']}/{made['token']}"
    answer = await world.anonymous.call("POST", token, message(name))
    assert (answer.status, answer.code) == (400, 50035)
    assert len((await alice.rest.post(path, message(name)))["attachments"]) == 1


async def test_refused_message_keeps_its_uploads(world: World) -> None:
    guild, path, bob = await guild_with_member(world)
    name = await uploaded(world, bob, path)
    too_long = {**message(name), "message_reference": {"message_id": "1"}}
    refused = await bob.rest.call("POST", path, too_long)
    assert refused.status == 400
    assert (await bob.rest.call("POST", path, message(name, "1/x"))).status == 400
    await guild.owner.rest.patch(f"/channels/{guild.general.id}", {"rate_limit_per_user": 600})
    assert (await bob.rest.call("POST", path, {"content": "x"})).status == 200
    assert (await bob.rest.call("POST", path, message(name))).code == 20016
    await guild.owner.rest.patch(f"/channels/{guild.general.id}", {"rate_limit_per_user": 0})
    [file] = (await bob.rest.post(path, message(name)))["attachments"]
    assert (await download(world, file["url"])).raw == b"abc"


async def test_address_takes_one_file_and_needs_its_signature(world: World) -> None:
    _, path, bob = await guild_with_member(world)
    reserved, other = await reserve(bob, path), await reserve(bob, path)
    bare, _, query = reserved["upload_url"].partition("?")
    for wrong in (
        bare,
        f"{other['upload_url'].partition('?')[0]}?{query}",
        f"{bare}?ex=0&is=0&hm=0",
        reserved["upload_url"].replace("ex=", "ex=1"),
    ):
        assert (await upload(world, {"upload_url": wrong}, b"x")).status == 404
    assert (await upload(world, reserved, b"first")).status == 200
    assert (await upload(world, reserved, b"second")).status == 404
    [file] = (await bob.rest.post(path, message(reserved["upload_filename"])))["attachments"]
    assert (await download(world, file["url"])).raw == b"first"
    assert (await upload(world, reserved, b"third")).status == 404


async def test_address_expires(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _, path, bob = await guild_with_member(world)
    monkeypatch.setattr("chatd.auth.signed_urls._UPLOAD_LIFETIME_S", -1)
    assert (await upload(world, await reserve(bob, path), b"x")).status == 404


async def test_link_to_a_file_is_no_address_for_an_upload(server: Server) -> None:
    urls: SignedUrls = server.runner.app[DEPENDENCIES].signed_urls
    signed = urls.attachment_url(1, 2, "x")  # type: ignore[arg-type]  # any numbers
    values = dict(each.split("=") for each in signed.partition("?")[2].split("&") if each)
    assert not urls.is_valid("/uploads/2", values["ex"], values["is"], values["hm"])


async def test_files_must_be_allowed_and_small_enough(
    world: World, serve_more: ServeMore, pending_uploads: Counted
) -> None:
    async with (
        serve_more(worker_id=21, upload_max_bytes=1000) as server,
        world_on(server.url, server.gateway_url) as small,
    ):
        guild, path, bob = await guild_with_member(small)
        where = f"/channels/{guild.general.id}/attachments"
        declared = await bob.rest.call("POST", where, wanted(10, 1001))
        assert (declared.status, declared.code) == (413, 40005)
        reserved = await reserve(bob, path)
        for size in (1001, 2_000_000):
            refused = await upload(small, reserved, io.BytesIO(bytes(size)))
            assert (refused.status, refused.code) == (413, 40005)
        assert pending_uploads() == 0
        assert (await upload(small, reserved, bytes(1000))).status == 200
        wrong_bodies: list[dict[str, Any]] = [{"files": []}, wanted(*[1] * 11), wanted(-1), {}]
        for body in wrong_bodies:
            wrong = await bob.rest.call("POST", where, body)
            assert (wrong.status, wrong.code) == (400, 50035)
        everyone = f"/guilds/{guild.id}/roles/{guild.id}"
        allowed = P.VIEW_CHANNEL | P.SEND_MESSAGES
        await guild.owner.rest.patch(everyone, {"permissions": str(int(allowed))})
        refused = await bob.rest.call("POST", where, wanted(1))
        assert (refused.status, refused.code) == (403, 50013)
        refused = await bob.rest.call("POST", path, message(reserved["upload_filename"]))
        assert (refused.status, refused.code) == (403, 50013)
        carol = await small.person("carol")
        assert (await carol.rest.call("POST", where, wanted(1))).status in (403, 404)


async def test_number_of_reserved_uploads_is_bounded(
    world: World, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reserved_uploads, "MAX_RESERVED", 3)
    guild, path, bob = await guild_with_member(world)
    where = f"/channels/{guild.general.id}/attachments"
    first, *_ = (await bob.rest.post(where, wanted(1, 1)))["attachments"]
    refused = await bob.rest.call("POST", where, wanted(1, 1))
    assert (refused.status, refused.code) == (400, 30015)
    await bob.rest.post(where, wanted(1))
    name = first["upload_filename"]
    alice = guild.owner
    for person, status in ((alice, 404), (bob, 204), (bob, 404)):
        path = f"/attachments/{name.replace('/', '%2F')}"
        assert (await person.rest.call("DELETE", path)).status == status
    await bob.rest.post(where, wanted(1))


async def test_deleted_upload_has_no_file(
    world: World, server: Server, pending_uploads: Counted
) -> None:
    _, path, bob = await guild_with_member(world)
    reserved = await reserve(bob, path)
    before, pending = stored_files(server), pending_uploads()
    assert (await upload(world, reserved, b"x")).status == 200
    assert len(stored_files(server) - before) == 1
    assert pending_uploads() == pending + 1
    await bob.rest.delete(f"/attachments/{reserved['upload_filename'].replace('/', '%2F')}")
    assert pending_uploads() == pending
    assert stored_files(server) <= before
    assert (await bob.rest.call("POST", path, message(reserved["upload_filename"]))).status == 400


async def test_janitor_deletes_old_uploads(
    world: World, server: Server, pending_uploads: Counted
) -> None:
    _, path, bob = await guild_with_member(world)
    database = server.runner.app[DEPENDENCIES].database
    await uploaded(world, bob, path)
    await reserve(bob, path)
    counted = f"SELECT count(*) FROM reserved_uploads WHERE owner_id = {bob.id}"
    for age, left in (("1 hour", 2), ("3 hours", 1), ("25 hours", 0)):
        aged = f"created_at = now() - interval '{age}'"
        await sql(server, f"UPDATE reserved_uploads SET {aged}; UPDATE uploads SET {aged}")
        for expired in janitor.EXPIRED:
            await janitor.delete_expired(database, expired)
        assert await sql(server, counted) == [(left,)]
    assert pending_uploads() == 0  # whichever test has left one


async def test_links_are_made_valid_again(world: World) -> None:
    guild, path, bob = await guild_with_member(world)
    sent = (await send_form(bob.rest, path, message_form(None, ("a b.txt", b"1")))).json
    [file] = sent["attachments"]
    bare = file["url"].partition("?")[0]
    old = f"{bare}?ex=0&is=0&hm=0&width=100"
    strange = "https://example.org/attachments/1/2/x.png"
    wanted_urls = [old, strange, "x", f"{bare}/more", "http://[/attachments/1/2/x"]
    answer = await bob.rest.post(REFRESH, {"attachment_urls": wanted_urls})
    refreshed = answer["refreshed_urls"]
    assert [each["original"] for each in refreshed] == wanted_urls
    assert [each["refreshed"] for each in refreshed[1:]] == wanted_urls[1:]
    assert refreshed[0]["refreshed"].endswith("width=100")
    assert (await download(world, refreshed[0]["refreshed"])).raw == b"1"
    carol = await world.person("carol")
    for person in (carol, bob):
        if person is bob:
            await guild.owner.rest.delete(f"{path}/{sent['id']}")
        answer = await person.rest.post(REFRESH, {"attachment_urls": [old]})
        assert answer == {"refreshed_urls": [{"original": old, "refreshed": old}]}


async def test_clients_of_spacebar_get_texts(world: World) -> None:
    _, path, bob = await guild_with_member(world)
    sent = (await send_form(bob.rest, path, message_form(None, ("a.txt", b"1")))).json
    url = sent["attachments"][0]["url"]
    body = {"attachment_urls": [url]}
    page = {"Origin": "https://fermi.example"}
    answer = await bob.rest.call("POST", REFRESH, body, headers=page)
    [refreshed] = answer.json["refreshed_urls"]
    assert (await download(world, refreshed)).raw == b"1"
    page["X-Super-Properties"] = "e30="
    answer = await bob.rest.call("POST", REFRESH, body, headers=page)
    assert answer.json["refreshed_urls"][0]["original"] == url


async def test_number_of_links_is_bounded(world: World) -> None:
    alice = await world.person("alice")
    for urls in ([], ["x"] * 51, ["x" * 2049], [5], None):
        refused = await alice.rest.call("POST", REFRESH, {"attachment_urls": urls})
        assert (refused.status, refused.code) == (400, 50035)
    long = "https://example.org/" + "x" * 2000
    assert len(await alice.rest.post(REFRESH, {"attachment_urls": [long] * 50}))

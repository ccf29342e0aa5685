"""Attachments: uploading, downloading, editing and deleting them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg2
import pytest

from chatd.core.permissions import EVERYONE, Permissions
from chatd.storage import local
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
from tests.world import World, like, world_on


async def test_attachments_are_stored_and_downloadable(
    world: World, pending_uploads: Counted
) -> None:
    guild, path, bob = await guild_with_member(world)
    [client] = await world.online("alice")
    described = [{"id": 0, "description": "a picture"}, {"id": "1", "filename": "renamed.txt"}]
    payload = {"content": "look", "attachments": described}
    files = (
        ("../../p\u202eic.png", png_bytes()),
        ("notes.txt", "täglich".encode()),
        ("e.bin", b""),
    )
    sent = (await send_form(bob.rest, path, message_form(payload, *files))).json
    assert sent["content"] == "look"
    picture, notes, empty = sent["attachments"]
    assert picture == like(
        filename="pic.png",
        content_type="image/png",
        width=3,
        height=2,
        size=len(png_bytes()),
        description="a picture",
    )
    assert notes == like(filename="renamed.txt", content_type="text/plain; charset=utf-8")
    assert "width" not in notes
    assert empty["size"] == 0
    assert (await client.next("MESSAGE_CREATE")).d["attachments"] == sent["attachments"]
    assert await guild.owner.rest.get(path) == [sent]
    got = await download(world, picture["url"])
    assert (got.status, got.raw) == (200, png_bytes())
    assert got.headers["Content-Type"] == "image/png"
    assert got.headers["Content-Disposition"].startswith("inline")
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in got.headers["Content-Security-Policy"]
    text = await download(world, notes["url"])
    assert text.raw.decode() == "täglich"
    assert text.headers["Content-Disposition"].startswith("attachment")
    assert (await download(world, empty["url"])).raw == b""
    assert pending_uploads() == 0


async def test_parts_in_any_order_and_message_without_content(world: World) -> None:
    _, path, bob = await guild_with_member(world)
    sent = await send_form(
        bob.rest, path, message_form({"content": "x"}, ("a", b"1"), payload_last=True)
    )
    assert (sent.json["content"], len(sent.json["attachments"])) == ("x", 1)
    sent = await send_form(bob.rest, path, message_form(None, ("a", b"1")))
    assert (sent.json["content"], len(sent.json["attachments"])) == ("", 1)
    nothing = await send_form(bob.rest, path, message_form({"content": ""}))
    assert (nothing.status, nothing.code) == (400, 50006)


async def test_html_is_never_served_as_html(world: World) -> None:
    _, path, bob = await guild_with_member(world)
    evil = b"<html><script>alert(1)</script>"
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
    files = (("x.html", evil), ("x.svg", svg), ("x.png", evil))
    sent = (await send_form(bob.rest, path, message_form(None, *files))).json
    for each in sent["attachments"]:
        got = await download(world, each["url"])
        assert got.headers["Content-Disposition"].startswith("attachment")
        assert not got.headers["Content-Type"].startswith("image/")


async def test_attachment_urls_are_signed(world: World) -> None:
    _, path, bob = await guild_with_member(world)
    sent = (await send_form(bob.rest, path, message_form(None, ("ä ö.txt", b"secret")))).json
    url = sent["attachments"][0]["url"]
    assert (await download(world, url)).raw == b"secret"
    bare, _, query = url.partition("?")
    other = bare.replace(quote("ä ö.txt"), "x.txt")
    for wrong in (bare, f"{other}?{query}", url.replace("ex=", "ex=1"), f"{bare}?ex=0&is=0&hm=0"):
        got = await download(world, wrong)
        assert got.status == 404, wrong
        assert b"secret" not in got.raw


async def test_range_requests(world: World) -> None:
    _, path, bob = await guild_with_member(world)
    data = bytes(range(256)) * 3000
    sent = (await send_form(bob.rest, path, message_form(None, ("x.bin", data)))).json
    url = sent["attachments"][0]["url"]
    whole = await download(world, url)
    tag = whole.headers["ETag"]
    assert whole.raw == data
    for wanted, start, stop in (
        ("bytes=0-9", 0, 10),
        ("bytes=500-", 500, len(data)),
        ("bytes=-7", len(data) - 7, len(data)),
        (f"bytes=10-{len(data) * 2}", 10, len(data)),
    ):
        part = await download(world, url, Range=wanted)
        assert (part.status, part.raw) == (206, data[start:stop])
        assert part.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(data)}"
    beyond = await download(world, url, Range=f"bytes={len(data)}-")
    assert (beyond.status, beyond.headers["Content-Range"]) == (416, f"bytes */{len(data)}")
    for odd in ("bytes=5-2", "bytes=0-1,5-6", "pages=1-2", "bytes=x-y"):
        got = await download(world, url, Range=odd)
        assert (got.status, got.raw) == (200, data), odd  # RFC 9110 14.2: such a header is ignored
    assert (await download(world, url, Range="bytes=0-1", **{"If-Range": '"old"'})).status == 200
    assert (await download(world, url, Range="bytes=0-1", **{"If-Range": tag})).status == 206
    assert (await download(world, url, **{"If-None-Match": tag})).status == 304
    head = await download(world, url, "HEAD")
    assert (head.status, head.raw) == (200, b"")
    assert head.headers["Content-Length"] == str(len(data))


async def test_deleting_a_channel_hides_its_files_at_once(world: World) -> None:
    guild, path, bob = await guild_with_member(world)
    large = bytes(4 * 2**20)  # above the limit of all other bodies
    sent = (await send_form(bob.rest, path, message_form(None, ("x", large)))).json
    url = sent["attachments"][0]["url"]
    assert (await download(world, url)).raw == large
    await guild.owner.rest.delete(f"/channels/{guild.general.id}")
    assert (await download(world, url)).status == 404


async def test_deleting_a_message_deletes_its_files(world: World, server: Server) -> None:
    _, path, bob = await guild_with_member(world)
    sent = (await send_form(bob.rest, path, message_form(None, ("x", b"1")))).json
    [file] = sent["attachments"]
    assert (server.config.files_dir / "attachments" / file["id"]).exists()
    await bob.rest.delete(f"{path}/{sent['id']}")
    assert (await download(world, file["url"])).status == 404
    with psycopg2.connect(server.config.database_url) as connection, connection.cursor() as cur:
        cur.execute("SELECT count(*) FROM doomed_files WHERE key = %s", (key(file),))
        assert cur.fetchone() == (1,)
    connection.close()


def key(file: dict[str, Any]) -> str:
    return f"attachments/{file['id']}"


async def test_upload_limits(world: World, serve_more: ServeMore, pending_uploads: Counted) -> None:
    async with (
        serve_more(worker_id=21, upload_max_bytes=1000) as server,
        world_on(server.url, server.gateway_url) as small,
    ):
        _, path, bob = await guild_with_member(small)
        await small.rest("bob").post(path, {"content": "before"})
        for files, status, code in (
            ([("x", b"x" * 1001)], 413, 40005),
            ([("a", b"1"), ("x", b"x" * 5000)], 413, 40005),
            ([(str(n), b"1") for n in range(11)], 400, 30015),
            ([("x", b"x" * 2_000_000)], 413, 40005),
        ):
            refused = await send_form(bob.rest, path, message_form(None, *files))
            assert (refused.status, refused.code) == (status, code)
        assert len(await bob.rest.get(path)) == 1
        assert pending_uploads() == 0
        stored = list((server.config.files_dir / "attachments").glob("*.partial"))
        assert stored == []
        exactly = [(str(n), b"x" * 1000) for n in range(10)]
        assert (await send_form(bob.rest, path, message_form(None, *exactly))).status == 200


async def test_aborted_upload_leaves_no_file(
    world: World, server: Server, pending_uploads: Counted
) -> None:
    _, path, bob = await guild_with_member(world)
    host, _, port = server.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        (
            f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {bob.token}\r\n"
            "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 900000\r\n\r\n"
            '--b\r\nContent-Disposition: form-data; name="files[0]"; filename="x"\r\n\r\n'
        ).encode()
        + b"x" * 300_000
    )
    await writer.drain()
    async with asyncio.timeout(60):
        while pending_uploads() == 0:
            await asyncio.sleep(0.01)
        writer.close()
        while pending_uploads() != 0:
            await asyncio.sleep(0.01)
    assert await bob.rest.get(path) == []
    del reader


async def test_upload_is_streamed_to_storage(
    world: World, server: Server, pending_uploads: Counted
) -> None:
    _, path, bob = await guild_with_member(world)
    folder = server.config.files_dir / "attachments"
    host, _, port = server.url.removeprefix("http://").partition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    size, part = 9_000_000, 300_000
    writer.write(
        (
            f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {bob.token}\r\n"
            f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {size}\r\n\r\n"
            '--b\r\nContent-Disposition: form-data; name="files[0]"; filename="x"\r\n\r\n'
        ).encode()
    )
    others = set(folder.glob("*.partial")) if folder.is_dir() else set()
    sent = 0
    async with asyncio.timeout(60):
        while sent < size - 2 * part:
            writer.write(b"x" * part)
            await writer.drain()
            sent += part
            while stored(folder, others) < sent - 700_000:  # bytes in flight
                await asyncio.sleep(0.01)
    writer.transport.abort()
    async with asyncio.timeout(60):
        while pending_uploads():
            await asyncio.sleep(0.01)


def stored(folder: Path, others: set[Path]) -> int:
    """Return how many bytes of an upload have been written."""
    return sum(each.stat().st_size for each in set(folder.glob("*.partial")) - others)


async def test_download_is_read_at_the_speed_of_the_client(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, path, bob = await guild_with_member(world)
    sent = (await send_form(bob.rest, path, message_form(None, ("x", bytes(10 * 2**20))))).json
    was_read = 0

    def counted(path: Path, at: int, size: int) -> bytes:
        nonlocal was_read
        was_read += size
        return read(path, at, size)

    read = local._read
    monkeypatch.setattr(local, "_read", counted)
    url = sent["attachments"][0]["url"].replace(PUBLIC_URL, bob.rest.url)
    host, _, port = bob.rest.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1000)
    writer.write(f"GET {url.removeprefix(bob.rest.url)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert b" 200 " in await reader.readline()
    before = -1
    while was_read != before:  # until the buffers of this client are full
        before = was_read
        for _ in range(20):
            await world.anonymous.get("/health")
    assert 0 < was_read < 10 * 2**20
    writer.transport.abort()


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"nonsense", "multipart/form-data; boundary=b", 50035),
        (b"", "multipart/form-data", 50035),
        (b"--b--\r\n", "multipart/form-data; boundary=b", 50006),
        (b"--b\r\nno header\r\n\r\n1\r\n--b--\r\n", "multipart/form-data; boundary=b", 50035),
        (
            b'--b\r\nContent-Disposition: form-data; name="payload_json"\r\n\r\n{\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
            50109,
        ),
        (
            b'--b\r\nContent-Disposition: form-data; name="payload_json"\r\n\r\n[]\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
            50035,
        ),
        (
            b'--b\r\nContent-Disposition: form-data; name="files[0]"; filename="x"\r\n\r\n1\r\n'
            b'--b\r\nContent-Disposition: form-data; name="files[0]"; filename="y"\r\n\r\n1\r\n'
            b"--b--\r\n",
            "multipart/form-data; boundary=b",
            50035,
        ),
        (
            b'--b\r\nContent-Disposition: form-data; name="payload_json"\r\n\r\n'
            b'{"attachments": [{"id": 5}]}\r\n'
            b'--b\r\nContent-Disposition: form-data; name="files[0]"; filename="x"\r\n\r\n1\r\n'
            b"--b--\r\n",
            "multipart/form-data; boundary=b",
            50035,
        ),
    ],
    ids=lambda value: repr(value)[-40:],
)
async def test_malformed_forms_are_rejected(
    world: World, body: bytes, kind: str, code: int, pending_uploads: Counted
) -> None:
    _, path, bob = await guild_with_member(world)
    answer = await bob.rest.call("POST", path, data=body, headers={"Content-Type": kind})
    assert (answer.status, answer.code) == (400, code)
    assert pending_uploads() == 0


async def test_upload_without_permission_is_rejected_before_it_is_read(world: World) -> None:
    guild, path, bob = await guild_with_member(world)
    without = str(int(EVERYONE & ~Permissions.ATTACH_FILES))
    await guild.owner.rest.patch(f"/guilds/{guild.id}/roles/{guild.id}", {"permissions": without})
    refused = await send_form(bob.rest, path, message_form(None, ("x", b"1")))
    assert (refused.status, refused.code) == (403, 50013)
    stranger = await world.person("stranger")
    refused = await send_form(stranger.rest, path, message_form(None, ("x", b"1")))
    assert (refused.status, refused.code) == (403, 50001)
    refused = await world.anonymous.call("POST", path, data=message_form(None, ("x", b"1")))
    assert refused.status == 401


async def test_edit_adds_and_removes_files(world: World, pending_uploads: Counted) -> None:
    guild, path, bob = await guild_with_member(world)
    sent = (await send_form(bob.rest, path, message_form(None, ("a", b"a"), ("b", b"b")))).json
    one, two = sent["attachments"]
    message = f"{path}/{sent['id']}"
    edited = await bob.rest.patch(message, {"content": "x"})
    assert edited["attachments"] == [one, two]
    new = message_form(
        {"attachments": [{"id": two["id"], "description": "kept"}, {"id": 0}]}, ("c", b"c")
    )
    edited = (await send_form(bob.rest, message, new, "PATCH")).json
    kept, added = edited["attachments"]
    assert kept == {**two, "description": "kept"}
    assert added["filename"] == "c"
    assert await bob.rest.get(path) == [edited]
    assert (await download(world, one["url"])).status == 404
    assert (await download(world, added["url"])).raw == b"c"
    appended = (await send_form(bob.rest, message, message_form(None, ("d", b"d")), "PATCH")).json
    assert [each["filename"] for each in appended["attachments"]] == ["b", "c", "d"]
    many = message_form(None, *((str(n), b"1") for n in range(8)))
    refused = await send_form(bob.rest, message, many, "PATCH")
    assert (refused.status, refused.code) == (400, 30015)
    refused = await guild.owner.rest.call("PATCH", message, {"attachments": []})
    assert (refused.status, refused.code) == (403, 50005)
    left = await bob.rest.patch(message, {"attachments": []})
    assert left["attachments"] == []
    empty = await bob.rest.call("PATCH", message, {"content": ""})
    assert (empty.status, empty.code) == (400, 50006)
    assert pending_uploads() == 0


async def test_retry_with_enforced_nonce_stores_files_once(
    world: World, pending_uploads: Counted
) -> None:
    _, path, bob = await guild_with_member(world)
    payload = {"nonce": "n", "enforce_nonce": True}
    sent = [
        (await send_form(bob.rest, path, message_form(payload, ("x", b"1")))).json for _ in range(2)
    ]
    assert sent[0]["id"] == sent[1]["id"]
    assert sent[0]["attachments"] == sent[1]["attachments"]
    assert pending_uploads() == 0


async def test_attachments_in_a_private_channel(world: World) -> None:
    alice, bob = await world.friends("alice", "bob")
    channel = (await alice.rest.post("/users/@me/channels", {"recipient_id": bob.id}))["id"]
    path = f"/channels/{channel}/messages"
    sent = (await send_form(alice.rest, path, message_form(None, ("x", b"psst")))).json
    [seen] = await bob.rest.get(path)
    assert (await download(world, seen["attachments"][0]["url"])).raw == b"psst"
    assert seen == sent

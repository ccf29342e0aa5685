"""File faults: aborted uploads and downloads, inconsistent forms, and large camera images."""

from __future__ import annotations

import asyncio
import io
import os
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import psycopg2
import pytest
from PIL import Image

from chatd.rest import request as rest_request
from chatd.services.maintenance import janitor
from chatd.web.keys import DEPENDENCIES
from tests.conftest import Server
from tests.helpers.attachments import (
    PUBLIC_URL,
    Counted,
    download,
    guild_with_member,
    message_form,
    send_form,
)
from tests.world import World

BOUNDARY = "xxBOUNDARYxx"


def part(name: str, data: bytes, extra: str = "") -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="x"{extra}'
    return head.encode() + b"\r\n\r\n" + data + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()


async def raw(
    server: Server, world: World, path: str, body: bytes, announced: int | None = None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Start to send a form as bob."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    token = (await world.person("bob")).token
    writer.write(
        f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Length: {len(body) if announced is None else announced}\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n".encode()
        + body
    )
    await writer.drain()
    return reader, writer


async def status(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
    async with asyncio.timeout(60):
        line = await reader.readline()
    writer.transport.abort()
    return int(line.split()[1])


@pytest.mark.parametrize(
    "body",
    [
        part("files[0]", b"x", "\r\nContent-Length: 500") + END,
        part("files[0]", b"xxxxx", "\r\nContent-Length: 1") + END,
        part("files[0]", b"x", "\r\nContent-Length: -1") + END,
        part("files[0]", b"x", "\r\nContent-Length: x") + END,
        part("files[0]", b"x" * 1000)[:-500],
        part("files[0]", b"x"),
        part("files[0]", b"x")[:20],
        b"",
        part("files[0]", b"eA=", "\r\nContent-Transfer-Encoding: base64") + END,
        part("files[0]", b"x", "\r\nX: " + "y" * 9000) + END,
        part("files[0]", b"x", "".join(f"\r\nX-{n}: y" for n in range(300))) + END,
        part("files[0]", b"x", "\r\nno header") + END,
        f"--{BOUNDARY}\r\n\r\nx\r\n".encode() + END,
        f"--{BOUNDARY}\r\nContent-Type: multipart/mixed\r\n\r\nx\r\n".encode() + END,
    ],
    ids=lambda body: f"{len(body)}",
)
async def test_inconsistent_form_is_rejected(
    world: World, server: Server, body: bytes, pending_uploads: Counted
) -> None:
    _, path, _ = await guild_with_member(world)
    assert 200 <= await status(*await raw(server, world, path, body)) < 500
    assert pending_uploads() == 0


@pytest.mark.parametrize("sent", [0, 200, 300_000])
async def test_disconnect_during_upload_leaves_no_file(
    world: World, server: Server, sent: int, pending_uploads: Counted
) -> None:
    _, path, _ = await guild_with_member(world)
    body = part("files[0]", b"x" * 500_000) + END
    _, writer = await raw(server, world, path, body[:sent], len(body))
    if sent:
        async with asyncio.timeout(60):
            while pending_uploads() == 0:
                await asyncio.sleep(0.01)
    writer.transport.abort()
    async with asyncio.timeout(60):
        while pending_uploads():
            await asyncio.sleep(0.01)


async def test_client_disconnects_in_the_middle_of_its_body(world: World, server: Server) -> None:
    alice = await world.person("alice")
    host, _, port = server.url.removeprefix("http://").partition(":")
    request = (
        f"POST /guilds HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {alice.token}\r\n"
        'Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"name": '
    )
    for _ in range(5):
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(request.encode())
        await writer.drain()
        await world.anonymous.get("/health")
        writer.transport.abort()
    await world.anonymous.get("/health")


async def test_client_disconnects_in_the_middle_of_a_download(world: World) -> None:
    _, path, bob = await guild_with_member(world)
    sent = await send_form(
        bob.rest, path, message_form(None, ("a", bytes(9_000_000)), ("b", bytes(9_000_000)))
    )
    for file in sent.json["attachments"]:
        for _ in range(10):
            url = file["url"].replace(PUBLIC_URL, bob.rest.url)
            async with world.http.get(url) as response:
                await response.content.readexactly(10)
                response.close()
    await world.anonymous.get("/health")


async def test_slow_upload_times_out(
    world: World, server: Server, monkeypatch: pytest.MonkeyPatch, pending_uploads: Counted
) -> None:
    monkeypatch.setattr(rest_request, "_BODY_TIMEOUT_S", 0.4)
    monkeypatch.setattr(rest_request, "_MIN_BYTES_PER_S", 10_000)
    _, path, _ = await guild_with_member(world)
    reader, writer = await raw(server, world, path, part("files[0]", b"x")[:-2], 50_000)
    answered = asyncio.create_task(reader.readline())
    async with asyncio.timeout(60):
        while not answered.done():
            writer.write(b"x")
            await asyncio.sleep(0.02)
    assert b" 408 " in answered.result()
    assert pending_uploads() == 0
    writer.transport.abort()


async def test_unknown_form_parts_are_limited(world: World, server: Server) -> None:
    _, path, bob = await guild_with_member(world)

    async def endless() -> AsyncIterator[bytes]:
        yield part("other", b"")[:-2]
        for _ in range(3000):
            yield bytes(2**16)

    kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    answer = await bob.rest.call("POST", path, data=endless(), headers=kind)
    assert (answer.status, answer.code) == (413, 40005)


async def test_file_of_a_deleted_channel_is_unknown_at_once(world: World) -> None:
    guild, path, bob = await guild_with_member(world)
    sent = (await send_form(bob.rest, path, message_form(None, ("a", b"1")))).json
    await guild.owner.rest.delete(f"/channels/{guild.general.id}")
    assert (await download(world, sent["attachments"][0]["url"])).status == 404


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "PNG", "GIF", "MPO"])
async def test_images_of_cameras(world: World, kind: str) -> None:
    """Images of cameras are large, and have much metadata before the pixels."""
    alice = await world.person("alice")
    out = io.BytesIO()
    noise = Image.frombytes("RGB", (150, 150), os.urandom(150 * 150 * 3))
    exif = Image.Exif()
    exif[0x010E] = "x" * 30_000
    more = {"save_all": True, "append_images": [noise.resize((15, 15))]} if kind == "MPO" else {}
    noise.save(out, kind, **({} if kind == "GIF" else {"exif": exif}), **more)
    uri = f"data:image/jpeg;base64,{b64encode(out.getvalue()).decode()}"
    changed = await alice.rest.patch("/users/@me", {"avatar": uri})
    answer = await world.anonymous.call("GET", f"/avatars/{alice.id}/{changed['avatar']}.png")
    expected = {"MPO": "image/jpeg"}.get(kind, f"image/{kind.lower()}")
    assert (answer.status, answer.headers["Content-Type"]) == (200, expected)
    _, path, bob = await guild_with_member(world)
    sent = (await send_form(bob.rest, path, message_form(None, ("a", out.getvalue())))).json
    assert sent["attachments"][0]["content_type"] == expected
    assert sent["attachments"][0]["width"] == 150


@pytest.mark.parametrize(
    "path",
    [
        b"/attachments/1/1/x?ex=1&is=1&hm=\xff",
        b"/attachments/1/1/x\xff?ex=1&is=1&hm=1",
        b"/attachments/1/1/x%FF?ex=1&is=1&hm=%ED%A0%80",
        b"/avatars/1/\xff.png",
        b"/avatars/1/..%2f..%2fx.png",
    ],
)
async def test_malformed_file_urls(server: Server, path: bytes) -> None:
    host, _, port = server.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    assert 400 <= await status(reader, writer) < 500


async def test_range_is_ignored_for_head_and_rejected_if_empty(world: World) -> None:
    _, path, bob = await guild_with_member(world)
    sent = (await send_form(bob.rest, path, message_form(None, ("a", b"0123456789")))).json
    url = sent["attachments"][0]["url"]
    head = await download(world, url, "HEAD", Range="bytes=0-3")  # RFC 9110 section 14.2
    assert (head.status, head.headers["Content-Length"]) == (200, "10")
    assert (await download(world, url, Range="bytes=-0")).status == 416
    assert (await download(world, url, Range="bytes=10-")).status == 416
    assert (await download(world, url, Range="bytes=９-")).status == 200


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("Zürich 100%.txt", "Zürich 100%.txt"),
        ("日本.png", "日本.png"),
        ("family 👨\u200d👩\u200d👧.png", "family 👨\u200d👩\u200d👧.png"),
    ],
)
async def test_file_names_in_the_encoding_of_aiohttp(world: World, sent: str, kept: str) -> None:
    _, path, bob = await guild_with_member(world)
    data = aiohttp.FormData()  # the format of hikari
    data.add_field("files[0]", io.BytesIO(b"x"), filename=sent)
    answer = (await send_form(bob.rest, path, data)).json
    assert answer["attachments"][0]["filename"] == kept


def parts_of(folder: Path, key: str) -> list[Path]:
    return [path for path in folder.rglob("*") if key.rpartition("/")[2] in path.name]


async def test_janitor_deletes_the_file_of_a_killed_upload(world: World, server: Server) -> None:
    has = server.runner.app[DEPENDENCIES]
    folder = Path(server.config.files_dir)
    begun = asyncio.Event()

    async def halting() -> AsyncIterator[bytes]:
        yield bytes(300_000)
        begun.set()
        await asyncio.Event().wait()

    key = f"attachments/{has.snowflakes.next()}"
    task = asyncio.create_task(has.storage.put(key, halting()))
    await begun.wait()
    [left] = parts_of(folder, key)
    data = left.read_bytes()
    task.cancel()
    await asyncio.wait([task])
    left.write_bytes(data)  # as if the process had been killed
    with psycopg2.connect(server.config.database_url) as connection, connection.cursor() as cur:
        cur.execute("INSERT INTO doomed_files (key) VALUES (%s)", (key,))
    connection.close()
    await janitor._delete_pending_files(has.database, has.storage)
    assert parts_of(folder, key) == []

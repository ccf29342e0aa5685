"""Stored files: deletion after rejected requests, limits, and image metadata."""

from __future__ import annotations

import asyncio
import io
import struct
import zlib
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import psycopg2
import pytest
from PIL import Image

from chatd.rest.file_response import content_disposition
from chatd.services.maintenance import janitor
from chatd.web.keys import DEPENDENCIES
from tests.conftest import ServeMore, Server
from tests.helpers.attachments import (
    Counted,
    download,
    guild_with_member,
    message_form,
    send_form,
)
from tests.helpers.images import (
    SECRET_METADATA,
    data_uri,
    image_bytes,
    image_with_metadata,
    visible_frames,
)
from tests.world import Answer, World, world_on


def on_disk(server: Server) -> set[Path]:
    """List the files of this server. Its janitor may delete those of other tests at any moment."""
    return {path for path in Path(server.config.files_dir).rglob("*") if path.is_file()}


def run(server: Server, statement: str, *values: object) -> list[Any]:
    with psycopg2.connect(server.config.database_url) as connection, connection.cursor() as cur:
        cur.execute(statement, values)
        rows = cur.fetchall() if cur.description else []
    connection.close()
    return rows


async def refused(answer: Answer, status: int = 400) -> None:
    assert (answer.status, "message" in answer.json) == (status, True)


async def test_image_of_a_rejected_request_is_deleted(world: World, server: Server) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    alice, bob = await world.people("alice", "bob")
    before = on_disk(server)
    picture_uri = data_uri(image_bytes())
    me, mine = "/users/@me", f"/guilds/{guild.id}"
    taken = {"avatar": picture_uri, "username": bob.name}
    await refused(await alice.rest.call("PATCH", me, taken))
    await refused(await alice.rest.call("PATCH", me, {**taken, "username": "\u3164"}))
    wrong = {"avatar": picture_uri, "new_password": "Another123!", "password": "wrong"}
    await refused(await alice.rest.call("PATCH", me, wrong))
    await refused(await bob.rest.call("PATCH", mine, {"icon": picture_uri}), 403)
    anonymous = {"icon": picture_uri, "owner_id": "1"}
    assert (await alice.rest.call("PATCH", mine, anonymous)).status in (400, 403, 404)
    system = {"icon": picture_uri, "system_channel_id": "1"}
    assert (await alice.rest.call("PATCH", mine, system)).status >= 400
    assert on_disk(server) <= before


async def test_icon_of_a_guild_above_the_limit_is_deleted(
    world: World, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await world.person("alice")
    before = on_disk(server)
    monkeypatch.setattr("chatd.services.guilds.guilds.MAX_GUILDS", 0)
    answer = await alice.rest.call(
        "POST", "/guilds", {"name": "more", "icon": data_uri(image_bytes())}
    )
    assert answer.code == 30001
    assert on_disk(server) <= before


async def test_files_of_a_rejected_message_are_deleted(world: World, server: Server) -> None:
    _, path, bob = await guild_with_member(world)
    before = on_disk(server)
    file = ("a.png", image_bytes())
    for payload in (
        {"content": "x" * 5000},
        {"attachments": [{"id": 7}]},
        {"message_reference": {"message_id": "1"}},
        {"embeds": "x"},
    ):
        await refused(await send_form(bob.rest, path, message_form(payload, file)))
    await refused(await send_form(bob.rest, path, message_form({}, *[file] * 11)))
    assert (
        await send_form(bob.rest, path, message_form({}, ("a", bytes(11 * 2**20))))
    ).status == 413
    await refused(await send_form(bob.rest, f"{path}/1", message_form({}, file), "PATCH"), 404)
    assert on_disk(server) <= before
    sent = (await send_form(bob.rest, path, message_form({}, file))).json
    alice = await world.person("alice")
    edited = f"{path}/{sent['id']}"
    await refused(await send_form(alice.rest, edited, message_form({}, file), "PATCH"), 403)
    full = message_form({"attachments": [{"id": sent["attachments"][0]["id"]}]}, *[file] * 10)
    await refused(await send_form(bob.rest, edited, full, "PATCH"))
    assert len(on_disk(server) - before) == 1


async def test_undeletable_file_does_not_block_other_deletions(
    world: World, server: Server
) -> None:
    has = server.runner.app[DEPENDENCIES]
    folder = Path(server.config.files_dir)
    stuck = folder / "attachments" / "stuck"
    (stuck / "inside").mkdir(parents=True)  # `unlink` fails, for root as well
    other = folder / "attachments" / "zother"
    other.write_bytes(b"x")
    keys = ("attachments/stuck", "attachments/zother")
    for key in keys:
        run(server, "INSERT INTO doomed_files (key) VALUES (%s)", key)
    await janitor._delete_pending_files(has.database, has.storage)
    assert not other.exists()
    rows = run(
        server,
        "SELECT key, failures, not_before > now() FROM doomed_files WHERE key = ANY(%s)",
        list(keys),
    )
    assert rows == [("attachments/stuck", 1, True)]
    (stuck / "inside").rmdir()
    stuck.rmdir()
    run(server, "UPDATE doomed_files SET not_before = now() WHERE key = %s", keys[0])
    await janitor._delete_pending_files(has.database, has.storage)
    assert run(server, "SELECT FROM doomed_files WHERE key = %s", keys[0]) == []


async def test_stored_bytes_of_an_account_are_limited(
    serve_more: ServeMore, pending_uploads: Counted
) -> None:
    async with (
        serve_more(worker_id=24, storage_per_user_bytes=3_000_000) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        _, path, bob = await guild_with_member(world)
        before = on_disk(server)
        file = ("a.bin", bytes(1_000_000))
        first = (await send_form(bob.rest, path, message_form({}, file))).json
        answers = await asyncio.gather(
            *[send_form(bob.rest, path, message_form({}, file)) for _ in range(5)]
        )
        sent = [answer for answer in answers if answer.status == 200]
        assert 1 <= len(sent) <= 2
        while len(sent) < 2:  # concurrent uploads may have rejected each other
            sent.append(await send_form(bob.rest, path, message_form({}, file)))
            assert sent[-1].status == 200
        last = await send_form(bob.rest, path, message_form({}, file))
        assert (last.status, last.code) == (400, 50035)
        [error] = last.json["errors"]["attachments"]["_errors"]
        assert error["code"] == "STORAGE_LIMIT_REACHED"
        assert len(on_disk(server) - before) == 3
        alice = await world.person("alice")
        assert (await send_form(alice.rest, path, message_form({}, file))).status == 200
        await bob.rest.delete(f"{path}/{first['id']}")
        assert (await send_form(bob.rest, path, message_form({}, file))).status == 200
        edited = f"{path}/{sent[0].json['id']}"
        await refused(await send_form(bob.rest, edited, message_form({}, file), "PATCH"))
        small = ("b.bin", b"")
        assert (await send_form(bob.rest, path, message_form({}, small))).status == 400
        freed = await send_form(
            bob.rest, edited, message_form({"attachments": [], "content": "x"}), "PATCH"
        )
        assert freed.status == 200
        assert (await send_form(bob.rest, edited, message_form({}, file), "PATCH")).status == 200
        assert pending_uploads() == 0, "refused files stay reserved"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
@pytest.mark.parametrize("orientation", [1, 6])
async def test_image_metadata_is_removed(
    world: World, server: Server, kind: str, orientation: int
) -> None:
    _, path, bob = await guild_with_member(world)
    data = image_with_metadata(kind, orientation)
    sent = (await send_form(bob.rest, path, message_form({}, ("a", data)))).json
    [file] = sent["attachments"]
    turned = orientation == 6 and kind != "GIF"
    assert (file["width"], file["height"]) == ((16, 24) if turned else (24, 16))
    got = await download(world, file["url"])
    assert SECRET_METADATA not in got.raw
    assert len(got.raw) == file["size"]
    assert visible_frames(got.raw) == visible_frames(data)
    changed = await bob.rest.patch("/users/@me", {"avatar": data_uri(data, kind.lower())})
    shown = await world.anonymous.call("GET", f"/avatars/{bob.id}/{changed['avatar']}.png")
    assert SECRET_METADATA not in shown.raw
    assert visible_frames(shown.raw) == visible_frames(data)


async def test_image_metadata_is_kept_if_configured(serve_more: ServeMore) -> None:
    async with (
        serve_more(worker_id=24, strip_image_metadata=False) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        _, path, bob = await guild_with_member(world)
        for kind in ("JPEG", "WEBP", "PNG", "GIF"):
            data = image_with_metadata(kind, 8)
            [file] = (await send_form(bob.rest, path, message_form({}, ("a", data)))).json[
                "attachments"
            ]
            assert (file["width"], file["size"]) == (24 if kind == "GIF" else 16, len(data))
            assert (await download(world, file["url"])).raw == data


def huge_png(width: int, height: int) -> bytes:
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    checked = struct.pack(">I", zlib.crc32(head))
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + checked + image_bytes()[33:]


def odd_pictures() -> list[bytes]:
    odd = [
        huge_png(width, height)
        for width, height in (
            (2**31, 1),
            (2**32 - 1, 2**32 - 1),
            (2**31 - 1, 1),
            (0, 0),
            (1, 2**31),
        )
    ]
    for kind in ("PNG", "JPEG", "GIF", "WEBP"):
        data = image_with_metadata(kind, 6, frames=1 if kind == "JPEG" else 3)
        odd += [data[:cut] for cut in (1, 12, 20, 30, 60, len(data) // 2, len(data) - 1)]
        for at in range(0, len(data), max(len(data) // 12, 1)):
            odd.append(data[:at] + b"\xff\x00\xff" + data[at + 3 :])
    for mode in ("1", "L", "LA", "P", "I;16", "CMYK", "RGBA"):
        out = io.BytesIO()
        made = Image.new(mode, (5, 5))
        made.save(out, "JPEG" if mode == "CMYK" else "PNG")
        odd.append(out.getvalue())
    return odd


async def test_unusual_images_cause_no_server_error(world: World) -> None:
    _, path, bob = await guild_with_member(world)
    for data in odd_pictures():
        answer = await send_form(bob.rest, path, message_form({}, ("a.png", data)))
        assert answer.status == 200, data
        [file] = answer.json["attachments"]
        got = await download(world, file["url"])
        assert len(got.raw) == file["size"]
        answer = await bob.rest.call("PATCH", "/users/@me", {"avatar": data_uri(data)})
        assert answer.status in (200, 400), data


NAMES = [
    ("größe (1).txt", "grosse (1).txt"),
    ("日本.png", "__.png"),
    ("plain.txt", "plain.txt"),
    ('100% "quoted".txt', "100_ _quoted_.txt"),
    ("Łódź; x=y.txt", "Lodz_ x=y.txt"),
    ("né.txt", "ne.txt"),
    ("a'b*c.txt", "a_b_c.txt"),
]


@pytest.mark.parametrize(("name", "plain"), NAMES)
def test_file_name_in_content_disposition(name: str, plain: str) -> None:
    header = content_disposition("attachment", name)
    assert header.isascii()
    assert f'filename="{plain}"' in header
    parsed = Message()
    parsed["Content-Disposition"] = header
    if name == plain:
        assert parsed.get_filename() == name
    else:
        value = header.partition("filename*=")[2]
        assert value.startswith("UTF-8''")
        assert unquote(value.removeprefix("UTF-8''"), errors="strict") == name


async def test_download_has_the_uploaded_name(world: World) -> None:
    _, path, bob = await guild_with_member(world)
    sent = (await send_form(bob.rest, path, message_form({}, ("größe (1).txt", b"x")))).json
    [file] = sent["attachments"]
    assert file["filename"] == "größe (1).txt"
    got = await download(world, file["url"])
    assert got.headers["Content-Disposition"] == (
        "attachment; filename=\"grosse (1).txt\"; filename*=UTF-8''gr%C3%B6%C3%9Fe%20%281%29.txt"
    )


HEADS = [
    ('filename="größe (1).txt"'.encode(), "größe (1).txt"),  # curl, browsers
    (b"filename=\"x\"; filename*=utf-8''gr%C3%B6%C3%9Fe.txt", "größe.txt"),  # requests
    (b'filename="gr%C3%B6%C3%9Fe.txt"', "größe.txt"),  # aiohttp
    (b'filename="a%22b.txt"', "a_b.txt"),  # browsers
    (b'filename="a\\"b.txt"', "a_b.txt"),  # curl
    (b'filename="C:\\\\x\\\\b.txt"', "b.txt"),
    (b'filename="../../etc/passwd"', "passwd"),
    ('filename="a\u202egpj.exe"'.encode(), "agpj.exe"),
    (b'filename="' + b"x" * 1000 + b'.txt"', "x" * 256 + ".txt"),
    (b'filename=""', "unknown"),
    (b'filename="\x01\x02"', "unknown"),
]


@pytest.mark.parametrize(("head", "name"), HEADS)
async def test_file_names_in_the_encodings_of_clients(world: World, head: bytes, name: str) -> None:
    _, path, bob = await guild_with_member(world)
    body = b'--b\r\nContent-Disposition: form-data; name="files[0]"; ' + head + b"\r\n\r\nx"
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = await bob.rest.call("POST", path, data=body + b"\r\n--b--\r\n", headers=headers)
    if answer.status == 200:
        assert answer.json["attachments"][0]["filename"] == name
    else:
        assert b"\x01" in head  # a control character in a header: the form is refused
        assert answer.status == 400

"""Avatars and icons."""

from __future__ import annotations

import base64
import io
from typing import Any

import orjson
import psycopg2
import pytest
from PIL import Image

from tests.conftest import Server
from tests.world import World, like


def image(kind: str = "PNG", size: tuple[int, int] = (16, 16), *, frames: int = 1) -> bytes:
    pictures = [Image.new("RGB", size, (n * 40, 0, 0)) for n in range(frames)]
    data = io.BytesIO()
    more: dict[str, Any] = {"save_all": True, "append_images": pictures[1:]} if frames > 1 else {}
    pictures[0].save(data, kind, **more)
    return data.getvalue()


def uri(data: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
async def test_an_avatar_is_shown_to_everyone(world: World, kind: str) -> None:
    await world.guild(owner="alice", members=["bob"])
    alice = await world.person("alice")
    [bob] = await world.online("bob")
    data = image(kind)
    changed = await alice.rest.patch("/users/@me", {"avatar": uri(data, kind.lower())})
    name = changed["avatar"]
    assert not name.startswith("a_")
    assert (await bob.next("GUILD_MEMBER_UPDATE")).d["user"] == like(id=alice.id, avatar=name)
    path = f"/avatars/{alice.id}/{name}.png"
    got = await world.nobody.call("GET", f"{path}?size=128")
    assert (got.status, got.raw) == (200, data)
    assert got.headers["Content-Type"] == f"image/{kind.lower()}"
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    again = await alice.rest.patch("/users/@me", {"avatar": uri(data, kind.lower())})
    assert again["avatar"] != name
    gone = await alice.rest.patch("/users/@me", {"avatar": None})
    assert gone["avatar"] is None


async def test_what_is_shown_no_longer_is_deleted(world: World, server: Server) -> None:
    alice = await world.person("alice")
    names = [
        (await alice.rest.patch("/users/@me", {"avatar": uri(image())}))["avatar"] for _ in "12"
    ]
    taken = await world.person("bob")
    await alice.rest.call("PATCH", "/users/@me", {"avatar": uri(image()), "username": taken.name})
    with psycopg2.connect(server.config.database_url) as connection, connection.cursor() as cur:
        cur.execute(
            "SELECT key, not_before > now() FROM doomed_files WHERE key LIKE %s ORDER BY 2",
            (f"avatars/{alice.id}/%",),
        )
        rows = cur.fetchall()
    connection.close()
    old, unclaimed = rows  # the one that was replaced, and the one that never came to be shown
    assert old == (f"avatars/{alice.id}/{names[0]}", False)
    assert unclaimed[1] is True
    assert (await world.nobody.call("GET", f"/avatars/{alice.id}/{names[1]}.png")).status == 200


async def test_an_icon_and_its_entry_in_the_log(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    [bob] = await world.online("bob")
    data = image("GIF", frames=3)
    changed = await guild.owner.rest.patch(f"/guilds/{guild.id}", {"icon": uri(data, "gif")})
    name = changed["icon"]
    assert name.startswith("a_")  # it moves
    assert (await bob.next("GUILD_UPDATE")).d["icon"] == name
    got = await world.nobody.call("GET", f"/icons/{guild.id}/{name}.gif")
    assert (got.status, got.raw) == (200, data)
    log = await guild.owner.rest.get(f"/guilds/{guild.id}/audit-logs?action_type=1&limit=1")
    [entry] = log["audit_log_entries"]
    assert entry["changes"] == [{"key": "icon_hash", "new_value": name}]
    refused = await world.rest("bob").call("PATCH", f"/guilds/{guild.id}", {"icon": uri(data)})
    assert (refused.status, refused.code) == (403, 50013)
    made = await guild.owner.rest.post("/guilds", {"name": "new", "icon": uri(image())})
    assert (await world.nobody.call("GET", f"/icons/{made['id']}/{made['icon']}.png")).status == 200


@pytest.mark.parametrize(
    "avatar",
    [
        "nonsense",
        "data:image/png;base64,",
        "data:image/png;base64,!!!",
        "data:text/html;base64,PGh0bWw+",
        uri(b"<svg/>"),
        uri(image()[:45]),
        uri(image("BMP")),
        uri(image(size=(5000, 1))),
        uri(b"\x89PNG\r\n\x1a\n" + bytes(100)),
        5,
    ],
    ids=lambda value: str(value)[:40],
)
async def test_what_is_no_image(world: World, avatar: object) -> None:
    alice = await world.person("alice")
    answer = await alice.rest.call("PATCH", "/users/@me", {"avatar": avatar})
    assert (answer.status, answer.code) == (400, 50035)
    assert "avatar" in answer.json["errors"]


async def test_too_large(world: World) -> None:
    alice = await world.person("alice")
    large = uri(bytes(2 * 2**20 + 1))
    for method, path, body, status, code in (
        ("PATCH", "/users/@me", {"avatar": large}, 400, 50035),
        ("PATCH", "/users/@me", {"avatar": large * 2}, 413, 40005),
        ("POST", "/users/@me/channels", {"recipient_id": large}, 413, 40005),
    ):
        data, headers = io.BytesIO(orjson.dumps(body)), {"Content-Type": "application/json"}
        answer = await alice.rest.call(method, path, data=data, headers=headers)
        assert (answer.status, answer.code) == (status, code)


async def test_default_avatars_and_what_is_not_there(world: World) -> None:
    for n in range(6):
        got = await world.nobody.call("GET", f"/embed/avatars/{n}.png")
        assert (got.status, got.headers["Content-Type"]) == (200, "image/png")
        assert Image.open(io.BytesIO(got.raw)).size == (128, 128)
    for path in (
        "/embed/avatars/6.png",
        "/embed/avatars/x.png",
        "/avatars/1/abc.png",
        "/avatars/x/abc.png",
        "/avatars/1/..%2F..%2Fetc.png",
        "/icons/1/%00.png",
        "/attachments/1/2/x.txt",
        "/attachments/x/y/z",
    ):
        got = await world.nobody.call("GET", path)
        assert (got.status, got.code) == (404, 0), path

"""Avatars and icons."""

from __future__ import annotations

import io

import orjson
import psycopg2
import pytest
from PIL import Image

from tests.conftest import Server
from tests.helpers.images import data_uri, image_bytes
from tests.world import World, like


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
async def test_avatar_is_public(world: World, kind: str) -> None:
    await world.guild(owner="alice", members=["bob"])
    alice = await world.person("alice")
    [bob] = await world.online("bob")
    data = image_bytes(kind)
    changed = await alice.rest.patch("/users/@me", {"avatar": data_uri(data, kind.lower())})
    name = changed["avatar"]
    assert not name.startswith("a_")
    assert (await bob.next("GUILD_MEMBER_UPDATE")).d["user"] == like(id=alice.id, avatar=name)
    path = f"/avatars/{alice.id}/{name}.png"
    got = await world.anonymous.call("GET", f"{path}?size=128")
    assert (got.status, got.raw) == (200, data)
    assert got.headers["Content-Type"] == f"image/{kind.lower()}"
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    again = await alice.rest.patch("/users/@me", {"avatar": data_uri(data, kind.lower())})
    assert again["avatar"] != name
    gone = await alice.rest.patch("/users/@me", {"avatar": None})
    assert gone["avatar"] is None


async def test_replaced_avatar_is_deleted(world: World, server: Server) -> None:
    alice = await world.person("alice")
    names = [
        (await alice.rest.patch("/users/@me", {"avatar": data_uri(image_bytes())}))["avatar"]
        for _ in "12"
    ]
    taken = await world.person("bob")
    await alice.rest.call(
        "PATCH", "/users/@me", {"avatar": data_uri(image_bytes()), "username": taken.name}
    )
    with psycopg2.connect(server.config.database_url) as connection, connection.cursor() as cur:
        cur.execute(
            "SELECT key, not_before > now() FROM doomed_files WHERE key LIKE %s ORDER BY 2",
            (f"avatars/{alice.id}/%",),
        )
        rows = cur.fetchall()
    connection.close()
    # The replaced avatar. That of the rejected request is deleted at once.
    assert rows == [(f"avatars/{alice.id}/{names[0]}", False)]
    assert (await world.anonymous.call("GET", f"/avatars/{alice.id}/{names[1]}.png")).status == 200


async def test_icon_change_is_recorded_in_the_audit_log(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    [bob] = await world.online("bob")
    data = image_bytes("GIF", frames=3)
    changed = await guild.owner.rest.patch(f"/guilds/{guild.id}", {"icon": data_uri(data, "gif")})
    name = changed["icon"]
    assert name.startswith("a_")  # animated
    assert (await bob.next("GUILD_UPDATE")).d["icon"] == name
    got = await world.anonymous.call("GET", f"/icons/{guild.id}/{name}.gif")
    assert (got.status, got.raw) == (200, data)
    log = await guild.owner.rest.get(f"/guilds/{guild.id}/audit-logs?action_type=1&limit=1")
    [entry] = log["audit_log_entries"]
    assert entry["changes"] == [{"key": "icon_hash", "new_value": name}]
    refused = await world.rest("bob").call("PATCH", f"/guilds/{guild.id}", {"icon": data_uri(data)})
    assert (refused.status, refused.code) == (403, 50013)
    made = await guild.owner.rest.post("/guilds", {"name": "new", "icon": data_uri(image_bytes())})
    assert (
        await world.anonymous.call("GET", f"/icons/{made['id']}/{made['icon']}.png")
    ).status == 200


@pytest.mark.parametrize(
    "avatar",
    [
        "nonsense",
        "data:image/png;base64,",
        "data:image/png;base64,!!!",
        "data:text/html;base64,PGh0bWw+",
        data_uri(b"<svg/>"),
        data_uri(image_bytes()[:45]),
        data_uri(image_bytes("BMP")),
        data_uri(image_bytes(size=(5000, 1))),
        data_uri(b"\x89PNG\r\n\x1a\n" + bytes(100)),
        5,
    ],
    ids=lambda value: str(value)[:40],
)
async def test_invalid_image_is_rejected(world: World, avatar: object) -> None:
    alice = await world.person("alice")
    answer = await alice.rest.call("PATCH", "/users/@me", {"avatar": avatar})
    assert (answer.status, answer.code) == (400, 50035)
    assert "avatar" in answer.json["errors"]


async def test_image_above_the_size_limit_is_rejected(world: World) -> None:
    alice = await world.person("alice")
    large = data_uri(bytes(2 * 2**20 + 1))
    for method, path, body, status, code in (
        ("PATCH", "/users/@me", {"avatar": large}, 400, 50035),
        ("PATCH", "/users/@me", {"avatar": large * 2}, 413, 40005),
        ("POST", "/users/@me/channels", {"recipient_id": large}, 413, 40005),
    ):
        data, headers = io.BytesIO(orjson.dumps(body)), {"Content-Type": "application/json"}
        answer = await alice.rest.call(method, path, data=data, headers=headers)
        assert (answer.status, answer.code) == (status, code)


async def test_default_avatars_and_unknown_images(world: World) -> None:
    for n in range(6):
        got = await world.anonymous.call("GET", f"/embed/avatars/{n}.png")
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
        got = await world.anonymous.call("GET", path)
        assert (got.status, got.code) == (404, 0), path

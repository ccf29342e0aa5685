"""Backups of a server whose files are in a bucket, and restoring them into one."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from moto.server import ThreadedMotoServer

from chatd.storage.s3 import Bucket, S3Storage
from tests.backup.conftest import TEXT, NewPlace, Place, Scene, path_of
from tests.cli.conftest import Chatd
from tests.conftest import ServeMore
from tests.helpers.attachments import message_form, send_form
from tests.world import World, world_on

ServeAt = Callable[[Place, dict[str, str]], AbstractAsyncContextManager[World]]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """The URL of a real S3-compatible server."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    _, port = server.get_host_and_port()
    yield f"http://127.0.0.1:{port}"
    server.stop()


async def _settings_of_new_bucket(endpoint: str, name: str) -> dict[str, str]:
    storage = S3Storage(Bucket(name, "us-east-1", endpoint, "id", "a secret key"))
    async with storage.running():
        await storage._client.create_bucket(Bucket=name)
    return {
        "s3_bucket": name,
        "s3_endpoint_url": endpoint,
        "s3_access_key_id": "id",
        "s3_secret_access_key": "a secret key",
    }


@pytest.fixture
async def disk_archive(at_source: Chatd) -> str:
    """An archive of a server whose files are on the disk."""
    await at_source.well("backup", "disk.tar")
    return "disk.tar"


@pytest.fixture
def serve_at(scene: Scene, serve_more: ServeMore) -> ServeAt:
    """Serves a restored place, and opens a world with the people of the scene on it."""

    @asynccontextmanager
    async def serve(place: Place, settings: dict[str, str]) -> AsyncIterator[World]:
        async with (
            serve_more(**place.settings, **settings) as server,
            world_on(server.url, server.gateway_url) as world,
        ):
            world.share_people(scene.world)
            yield world

    return serve


async def test_files_in_a_bucket_are_backed_up_and_restored(
    disk_archive: str,
    endpoint: str,
    scene: Scene,
    new_place: NewPlace,
    command_at: Callable[[Place], Chatd],
    *,
    serve_at: ServeAt,
) -> None:
    large = os.urandom(9 << 20)  # stored in several parts
    archive = disk_archive
    for name in ("first", "second"):
        place = new_place()
        settings = await _settings_of_new_bucket(endpoint, name)
        chatd = command_at(place)
        chatd.environment |= {key.upper(): value for key, value in settings.items()}
        restored = await chatd.json("restore", archive, "--yes")
        assert restored["files"] == restored["written_files"] >= 4
        assert place.files() == {}
        async with serve_at(place, settings) as world:
            found = await world.rest("alice").get(f"{scene.path}?limit=100")
            [fox] = [each for each in found if each["content"] == "fox.txt"]
            path = path_of(fox["attachments"][0]["url"])
            assert (await world.anonymous.call("GET", path)).raw == TEXT
            if name == "first":
                form = message_form({"content": "large"}, ("large.bin", large))
                assert (await send_form(world.rest("bob"), scene.path, form)).status == 200
            else:
                [sent] = [each for each in found if each["content"] == "large"]
                path = path_of(sent["attachments"][0]["url"])
                assert (await world.anonymous.call("GET", path)).raw == large
        archive = f"{name}.tar"
        await chatd.well("backup", archive)
    chatd.environment["S3_ENDPOINT_URL"] = "http://127.0.0.1:9"
    line = await chatd.refused("backup", "unavailable.tar")
    assert "the storage of files is unavailable" in line
    assert not (chatd.folder / "unavailable.tar").exists()

"""Storages store a file completely or not at all, on disk and in a bucket."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from chatd.storage.base import Span, Storage, StorageUnavailable, StoredFileMissing
from chatd.storage.local import LocalStorage
from chatd.storage.s3 import Bucket, S3Storage


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    """Provide a bucket of a real S3-compatible server."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    _, port = server.get_host_and_port()
    yield Bucket("files", "us-east-1", f"http://127.0.0.1:{port}", "id", "a secret key")
    server.stop()


@pytest.fixture(params=["local", "s3"])
async def storage(
    request: pytest.FixtureRequest, tmp_path: Path, bucket: Bucket
) -> AsyncIterator[Storage]:
    """Provide a storage of each kind."""
    if request.param == "local":
        local = LocalStorage(tmp_path / "files")
        async with local.running():
            yield local
        return
    s3 = S3Storage(bucket)
    async with s3.running():
        await s3._client.create_bucket(Bucket=bucket.name)
        yield s3


async def chunks(*parts: bytes, then: BaseException | None = None) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
    if then is not None:
        raise then


async def read(storage: Storage, key: str, start: int, stop: int) -> bytes:
    return b"".join([chunk async for chunk in storage.read(key, Span(start, stop))])


@pytest.mark.parametrize("size", [0, 1, 300_000, 8 * 2**20, 17 * 2**20 + 5])
async def test_stored_file_can_be_read_in_parts(storage: Storage, size: int) -> None:
    data = os.urandom(size)
    pieces = [data[at : at + 700_000] for at in range(0, size, 700_000)]
    await storage.put("a/1", chunks(*pieces))
    assert await storage.size("a/1") == size
    assert await read(storage, "a/1", 0, size) == data
    assert await read(storage, "a/1", size // 3, size // 2) == data[size // 3 : size // 2]
    await storage.put("a/1", chunks(b"new"))
    assert await read(storage, "a/1", 0, 3) == b"new"
    await storage.delete("a/1")
    await storage.delete("a/1")
    with pytest.raises(StoredFileMissing):
        await storage.size("a/1")
    with pytest.raises(StoredFileMissing):
        await read(storage, "a/1", 0, 1)


async def test_unwritable_folder_is_logged_at_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    taken = tmp_path / "taken"
    taken.write_text("")  # a file: not even root can create a folder in it
    async with LocalStorage(taken / "files").running():
        pass
    logged = [each.getMessage() for each in caplog.records]
    assert logged == [f"{taken} cannot be written to, so no file can be kept; see FILES_DIR"]


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("sent", [b"x", b"x" * (9 * 2**20)])
async def test_interrupted_upload_leaves_nothing(
    storage: Storage, tmp_path: Path, sent: bytes
) -> None:
    with pytest.raises(ConnectionError):
        await storage.put("a/2", chunks(sent, then=ConnectionError()))
    waiting = asyncio.Event()

    async def never_ending() -> AsyncIterator[bytes]:
        yield sent
        waiting.set()
        await asyncio.Event().wait()

    putting = asyncio.create_task(storage.put("a/2", never_ending()))
    await waiting.wait()
    putting.cancel()
    await asyncio.wait({putting})
    with pytest.raises(StoredFileMissing):
        await storage.size("a/2")
    if isinstance(storage, S3Storage):
        pending = await storage._client.list_multipart_uploads(Bucket="files")
        assert "Uploads" not in pending
    else:
        assert _files(tmp_path) == []


async def test_delete_removes_the_remains_of_a_killed_put(storage: Storage, tmp_path: Path) -> None:
    if isinstance(storage, S3Storage):
        for key in ("a/3", "a/30"):
            await storage._client.create_multipart_upload(Bucket="files", Key=key)
        await storage.delete("a/3")
        left = await storage._client.list_multipart_uploads(Bucket="files")
        assert [each["Key"] for each in left["Uploads"]] == ["a/30"]
        await storage.delete("a/30")
    else:
        await storage.put("a/3", chunks(b"x"))
        [path] = _files(tmp_path)
        path.rename(path.with_name(path.name + ".partial"))
        await storage.delete("a/3")
        assert _files(tmp_path) == []


async def test_failing_storage_raises_storage_unavailable(tmp_path: Path) -> None:
    gone = S3Storage(Bucket("files", "us-east-1", "http://127.0.0.1:9", "id", "a secret key"))
    async with gone.running():
        with pytest.raises(StorageUnavailable):
            await gone.size("a")
    assert "a secret key" not in repr(gone._bucket)
    (tmp_path / "in the way").write_text("")
    local = LocalStorage(tmp_path)
    async with local.running():
        with pytest.raises(StorageUnavailable):
            await local.put("in the way/x", chunks(b"x"))

"""Files in an S3-compatible object store (the extra `chatd[s3]`)."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiobotocore.session import get_session
from botocore.config import Config as ClientConfig
from botocore.exceptions import BotoCoreError, ClientError

from chatd.storage.base import CHUNK_BYTES, Span, StorageUnavailable, StoredFileMissing, in_blocks

_PART_BYTES = 8 * 2**20
"""Of a multipart upload. S3 requires at least 5 MiB for all parts except the last."""

_CONNECTIONS = 50
"""Bounds concurrent requests. A download holds one connection until its client has the file."""

_MISSING_CODES = ("404", "NoSuchKey", "NotFound")


@dataclass(frozen=True, slots=True)
class Bucket:
    """The bucket, and the account for it. Without `endpoint_url` it is at Amazon."""

    name: str
    region: str
    endpoint_url: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = field(default=None, repr=False)


class S3Storage:
    """Stores files in a bucket."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._client: Any = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Hold the connections to the object store while the context is open."""
        bucket = self._bucket
        making = get_session().create_client(
            "s3",
            region_name=bucket.region,
            endpoint_url=bucket.endpoint_url,
            aws_access_key_id=bucket.access_key_id,
            aws_secret_access_key=bucket.secret_access_key,
            config=ClientConfig(
                connect_timeout=5,
                read_timeout=30,
                max_pool_connections=_CONNECTIONS,
                retries={"max_attempts": 3},
                # Not all stores support the checksums that recent versions of botocore add.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
        async with making as self._client:
            yield

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> None:
        """Store a file. When `chunks` raises, or this is cancelled, nothing is stored."""
        parts = in_blocks(chunks, _PART_BYTES)
        first = await anext(parts, b"")
        if len(first) < _PART_BYTES:
            with _translate_errors():
                await self._client.put_object(Bucket=self._bucket.name, Key=key, Body=first)
        else:
            await self._put_in_parts(key, first, parts)

    async def _put_in_parts(self, key: str, first: bytes, parts: AsyncIterator[bytes]) -> None:
        where = {"Bucket": self._bucket.name, "Key": key}
        with _translate_errors():
            upload = await self._client.create_multipart_upload(**where)
        where["UploadId"] = upload["UploadId"]
        try:
            done = [await self._put_part(where, 1, first)]
            number = 2
            async for part in parts:
                done.append(await self._put_part(where, number, part))
                number += 1
            with _translate_errors():
                finished = {"Parts": done}
                await self._client.complete_multipart_upload(**where, MultipartUpload=finished)
        except BaseException:
            # A shutdown may interrupt this. Then `delete` aborts the upload, a day later.
            with contextlib.suppress(BotoCoreError, ClientError, OSError, RuntimeError):
                await self._client.abort_multipart_upload(**where)
            raise

    async def _put_part(self, where: dict[str, str], number: int, data: bytes) -> dict[str, Any]:
        with _translate_errors():
            sent = await self._client.upload_part(**where, PartNumber=number, Body=data)
        return {"ETag": sent["ETag"], "PartNumber": number}

    async def size(self, key: str) -> int:
        """Return the size of a file in bytes. Raises StoredFileMissing."""
        with _translate_errors():
            found = await self._client.head_object(Bucket=self._bucket.name, Key=key)
            return int(found["ContentLength"])

    async def read(self, key: str, span: Span) -> AsyncGenerator[bytes, None]:
        """Yield a part of a file in chunks. Raises StoredFileMissing."""
        if span.start >= span.stop:
            return
        with _translate_errors():
            found = await self._client.get_object(
                Bucket=self._bucket.name, Key=key, Range=f"bytes={span.start}-{span.stop - 1}"
            )
            async with found["Body"] as body:
                while chunk := await body.read(CHUNK_BYTES):
                    yield chunk

    async def delete(self, key: str) -> None:
        """Delete a file, and the remains of an interrupted `put`. A missing file is no error."""
        bucket = self._bucket.name
        with _translate_errors():
            await self._client.delete_object(Bucket=bucket, Key=key)
            left = await self._client.list_multipart_uploads(Bucket=bucket, Prefix=key)
            for upload in left.get("Uploads", ()):
                if upload["Key"] == key:
                    await self._client.abort_multipart_upload(
                        Bucket=bucket, Key=key, UploadId=upload["UploadId"]
                    )


@contextmanager
def _translate_errors() -> Iterator[None]:
    """Translate errors of the object store into those of this package."""
    try:
        yield
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _MISSING_CODES:
            raise StoredFileMissing from None
        raise StorageUnavailable(str(error)) from error
    except (
        BotoCoreError,
        OSError,
        RuntimeError,
    ) as error:  # RuntimeError: uvloop raises it for a closed handle
        raise StorageUnavailable(str(error)) from error

"""Files in any store that speaks S3 (the extra `chatd[s3]`)."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiobotocore.session import get_session
from botocore.config import Config as ClientConfig
from botocore.exceptions import BotoCoreError, ClientError

from chatd.storage.storage import CHUNK, NotStored, Span, StorageAway, in_blocks

_PART = 8 * 2**20  # bytes; S3 wants parts of at least 5 MiB, but for the last
_CONNECTIONS = 50  # each download holds one until its client has all of it
_MISSING = ("404", "NoSuchKey", "NotFound")


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where the files are. Without `endpoint_url` it is Amazon's."""

    name: str
    region: str
    endpoint_url: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = field(default=None, repr=False)


class S3Storage:
    """Keeps files in a bucket."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._client: Any = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Holds the connections to the store."""
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
                # Not every store knows the checksums that Amazon's own client adds by now.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
        async with making as self._client:
            yield

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> None:
        """Keep a file. When `chunks` raises, or this is cancelled, nothing is kept."""
        parts = in_blocks(chunks, _PART)
        first = await anext(parts, b"")
        if len(first) < _PART:
            with _told():
                await self._client.put_object(Bucket=self._bucket.name, Key=key, Body=first)
        else:
            await self._put_in_parts(key, first, parts)

    async def _put_in_parts(self, key: str, first: bytes, parts: AsyncIterator[bytes]) -> None:
        where = {"Bucket": self._bucket.name, "Key": key}
        with _told():
            upload = await self._client.create_multipart_upload(**where)
        where["UploadId"] = upload["UploadId"]
        try:
            done = [await self._put_part(where, 1, first)]
            number = 2
            async for part in parts:
                done.append(await self._put_part(where, number, part))
                number += 1
            with _told():
                finished = {"Parts": done}
                await self._client.complete_multipart_upload(**where, MultipartUpload=finished)
        except BaseException:
            # Shutting down may cut this off; then `delete` does it, a day later.
            with contextlib.suppress(BotoCoreError, ClientError):
                await self._client.abort_multipart_upload(**where)
            raise

    async def _put_part(self, where: dict[str, str], number: int, data: bytes) -> dict[str, Any]:
        with _told():
            sent = await self._client.upload_part(**where, PartNumber=number, Body=data)
        return {"ETag": sent["ETag"], "PartNumber": number}

    async def size(self, key: str) -> int:
        """The size of a file in bytes. Raises NotStored."""
        with _told():
            found = await self._client.head_object(Bucket=self._bucket.name, Key=key)
            return int(found["ContentLength"])

    async def read(self, key: str, span: Span) -> AsyncGenerator[bytes, None]:
        """A part of a file, chunk by chunk. Raises NotStored."""
        if span.start >= span.stop:
            return
        with _told():
            found = await self._client.get_object(
                Bucket=self._bucket.name, Key=key, Range=f"bytes={span.start}-{span.stop - 1}"
            )
            async with found["Body"] as body:
                while chunk := await body.read(CHUNK):
                    yield chunk

    async def delete(self, key: str) -> None:
        """Forget a file, and what a `put` that was killed has left; one not there is fine."""
        bucket = self._bucket.name
        with _told():
            await self._client.delete_object(Bucket=bucket, Key=key)
            left = await self._client.list_multipart_uploads(Bucket=bucket, Prefix=key)
            for upload in left.get("Uploads", ()):
                if upload["Key"] == key:
                    await self._client.abort_multipart_upload(
                        Bucket=bucket, Key=key, UploadId=upload["UploadId"]
                    )


@contextmanager
def _told() -> Iterator[None]:
    """Tell the store's errors as this package's own."""
    try:
        yield
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _MISSING:
            raise NotStored from None
        raise StorageAway(str(error)) from error
    except (BotoCoreError, OSError) as error:
        raise StorageAway(str(error)) from error

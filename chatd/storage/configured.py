"""The storage that the settings choose."""

from __future__ import annotations

from chatd.config import Config
from chatd.storage.base import Storage
from chatd.storage.local import LocalStorage

_S3_EXTRA = "scripts/install --extras s3, or pip install '.[s3]' in the checkout"


class StorageExtraMissing(Exception):
    """A library that the storage needs is not installed. The message says how to install it."""


def configured_storage(config: Config) -> Storage:
    """Return the storage of files: the S3 bucket if one is set, else the local disk.

    Raises StorageExtraMissing.
    """
    if config.s3_bucket is None:
        return LocalStorage(config.files_dir.absolute())
    try:
        from chatd.storage.s3 import Bucket, S3Storage
    except ImportError as missing:
        raise StorageExtraMissing(f"S3_BUCKET needs the extra s3: {_S3_EXTRA}") from missing
    bucket = Bucket(
        config.s3_bucket,
        config.s3_region,
        config.s3_endpoint_url,
        config.s3_access_key_id,
        config.s3_secret_access_key,
    )
    return S3Storage(bucket)

"""Looking up files for download."""

from __future__ import annotations

from chatd.context.dependencies import Dependencies
from chatd.core.errors import ServiceUnavailable, UnknownFile
from chatd.core.ids import AttachmentId, ChannelId
from chatd.core.models import StoredFile
from chatd.queries import files, webhooks
from chatd.services.media import file_types, images
from chatd.storage.base import Span, StorageUnavailable, StoredFileMissing

_TYPE_BYTES = 4096  # of the beginning of an image; enough to detect its type


async def attachment(
    dependencies: Dependencies, channel_id: ChannelId, file_id: AttachmentId
) -> StoredFile:
    """Return an attachment of a message that still exists. Raises UnknownFile."""
    async with dependencies.database.cursor() as cur:
        found = await files.attachment(cur, channel_id, file_id)
    if found is None:
        raise UnknownFile
    return found


async def image(dependencies: Dependencies, folder: str, owner_id: int, name: str) -> StoredFile:
    """Return an avatar or icon by its hash. Raises UnknownFile, ServiceUnavailable."""
    if not name.removeprefix("a_").isalnum() or not name.isascii():
        raise UnknownFile
    key = images.key(folder, owner_id, name)
    storage = dependencies.storage
    try:
        size = await storage.size(key)
        span = Span(0, min(size, _TYPE_BYTES))
        head = b"".join([chunk async for chunk in storage.read(key, span)])
    except (StoredFileMissing, ValueError):
        raise UnknownFile from None
    except StorageUnavailable as unavailable:
        raise ServiceUnavailable from unavailable
    return StoredFile(key, name, file_types.image_type(head), size)


async def named_avatar(dependencies: Dependencies, webhook_id: int, name: str) -> str:
    """Return the URL of a picture that messages of a webhook show, by its hash.

    Raises UnknownFile.
    """
    if not dependencies.webhook_tokens.is_picture_name(webhook_id, name):
        raise UnknownFile
    async with dependencies.database.cursor() as cur:
        url = await webhooks.avatar_url(cur, webhook_id, name)
    if url is None:
        raise UnknownFile
    return url

"""File types by content, sizes of images, and safe file names."""

from __future__ import annotations

import asyncio
import io
import mimetypes
import re
import unicodedata
from collections.abc import AsyncGenerator, AsyncIterator
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cache

import puremagic
from PIL import Image

from chatd.core import names
from chatd.services.media.metadata.stripper import stripper_for

HEAD_BYTES = 256 * 1024
"""Bytes at the beginning of a file that its type is detected from."""

MAX_FILENAME = 260  # characters
_MAX_STORED_SIDE = 2**31 - 1  # of a PNG by its rule, and of an integer in Postgres
_MAX_SIDE = 4096  # pixels, of avatars and icons
# Zero-width joiners: some scripts, and emoji that consist of several, change without them.
_JOINERS = "\u200c\u200d"
_UNSAFE = re.compile(r'[/\\:*?"<>|]+')
_PILLOW_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")  # Pillow must not open any other
_MARKS = re.compile(
    rb"(?P<png>\x89PNG\r\n\x1a\n)|(?P<jpeg>\xff\xd8\xff)|(?P<gif>GIF8[79]a)|(?P<webp>RIFF.{4}WEBP)",
    re.DOTALL,
)
_BINARY = "application/octet-stream"

# `_check` limits the size itself, before Pillow decodes anything.
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True, slots=True)
class FileType:
    """The content type of a file, and the size of an image in pixels."""

    content_type: str
    width: int | None = None
    height: int | None = None


class InvalidImage(Exception):
    """Not an image, or one of a format or size that is not accepted."""


async def detect(threads: Executor, head: bytes, filename: str) -> FileType:
    """Return the type of a file that has this name and begins with these bytes."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(threads, _detect, head, filename)


async def check_image(threads: Executor, data: bytes) -> tuple[bytes, bool]:
    """Return an image without its metadata, and whether it is animated.

    Raises InvalidImage, also for an image above 4096 pixels on a side.
    """
    return await asyncio.get_running_loop().run_in_executor(threads, _check, data)


class StrippedChunks:
    """The chunks of a file, without the metadata of an image unless `keep` is set."""

    def __init__(self, threads: Executor, chunks: AsyncIterator[bytes], *, keep: bool) -> None:
        self._threads = threads
        self._chunks = chunks
        self._keep = keep
        self.orientation = 1
        """How to rotate and mirror an image, 1 to 8 as in Exif. Known at the end."""

    async def all(self) -> AsyncGenerator[bytes, None]:
        """Yield the chunks. Images are parsed in the threads, since that blocks."""
        loop = asyncio.get_running_loop()
        first = await anext(self._chunks, b"")
        stripper = stripper_for(first)
        if stripper is None:
            yield first
            async for other in self._chunks:
                yield other
            return
        chunk = first
        while chunk:
            ready = await loop.run_in_executor(self._threads, stripper.feed, chunk)
            if self._keep:
                yield chunk
            elif ready:
                yield ready
            chunk = await anext(self._chunks, b"")
        rest = stripper.end()
        while (ready := await loop.run_in_executor(self._threads, next, rest, b"")) != b"":
            if not self._keep:
                yield ready
        self.orientation = stripper.orientation


def image_type(head: bytes) -> str:
    """Return the content type of an avatar or icon that begins with these bytes."""
    mark = _MARKS.match(head)
    return f"image/{mark.lastgroup}" if mark else _BINARY


@cache
def solid_color_png(color: str) -> bytes:
    """Return a PNG of one color."""
    picture = io.BytesIO()
    Image.new("RGB", (128, 128), color).save(picture, "PNG")
    return picture.getvalue()


def safe_name(name: str) -> str:
    """Return a file name without a path, and without characters that could deceive a reader.

    Rule: OWASP, File Upload Cheat Sheet, "Filename Sanitization".
    """
    name = unicodedata.normalize("NFC", name.replace("\\", "/").rpartition("/")[2])
    shown = (each for each in name if each in _JOINERS or unicodedata.category(each)[0] != "C")
    name = "".join(shown)
    name = _UNSAFE.sub("_", name).strip(" .")
    if len(name) > MAX_FILENAME:
        stem, dot, ending = name.rpartition(".")
        ending = dot + ending if dot and len(ending) <= 16 else ""
        name = (stem or name)[: MAX_FILENAME - len(ending)] + ending
    name = names.without_invisible(name).strip(" .")
    return name if name.strip(" _" + _JOINERS) else "unknown"


def _detect(head: bytes, filename: str) -> FileType:
    if (content_type := image_type(head)) != _BINARY:
        return FileType(content_type, *(_size(head) or ()))
    guessed = mimetypes.guess_type(filename)[0]
    if _is_text(head):
        is_textual = guessed is not None and guessed.startswith(("text/", "application/json"))
        return FileType(f"{guessed if is_textual else 'text/plain'}; charset=utf-8")
    try:
        found = puremagic.from_string(head, mime=True, filename=filename)
    except (puremagic.PureError, ValueError):
        found = ""
    return FileType(found or _BINARY)


def _is_text(head: bytes) -> bool:
    if b"\0" in head:
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        # The head may end in the middle of a character.
        return len(head) == HEAD_BYTES and error.start >= HEAD_BYTES - 4
    return bool(head)


def _check(data: bytes) -> tuple[bytes, bool]:
    stripper = stripper_for(data)
    if stripper is None:
        raise InvalidImage
    # Before Pillow, which also takes microseconds for each part of an image.
    stripped = stripper.feed(data) + b"".join(stripper.end())
    size = None if stripper.is_overfull else _size(data)
    if size is None or not 0 < min(size) <= max(size) <= _MAX_SIDE:
        raise InvalidImage
    try:
        with Image.open(io.BytesIO(data), formats=_PILLOW_FORMATS) as image:
            animated = bool(getattr(image, "is_animated", False))
            image.load()  # fails unless the first frame can be decoded
    except Exception as error:  # Pillow raises many kinds of exceptions on broken images
        raise InvalidImage from error
    # A JPEG with a second picture, as cameras write them, is not an animation.
    return stripped, animated and image_type(data) != "image/jpeg"


def _size(head: bytes) -> tuple[int, int] | None:
    """Return width and height, or None if these bytes do not contain them."""
    if image_type(head) == "image/webp":
        return _size_of_webp(head)  # Pillow allocates the whole image on opening
    try:
        with Image.open(io.BytesIO(head), formats=_PILLOW_FORMATS) as image:
            return image.size if max(image.size) <= _MAX_STORED_SIDE else None
    except Exception:  # as above
        return None


def _size_of_webp(head: bytes) -> tuple[int, int] | None:
    """Return width and height of a WebP image, or None.

    Rules: RFC 9649 section 2.7 (VP8X, VP8L), and RFC 6386 section 9.1 (VP8).
    """
    kind, body = head[12:16], head[20:30]
    if len(body) < 10:
        return None
    if kind == b"VP8X":
        return _little(body[4:7]) + 1, _little(body[7:10]) + 1
    if kind == b"VP8L" and body[0] == 0x2F:
        bits = _little(body[1:5])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        return _little(body[6:8]) & 0x3FFF, _little(body[8:10]) & 0x3FFF
    return None


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")

"""What files are: their type by their bytes, the size of images, and names that are safe."""

from __future__ import annotations

import asyncio
import io
import mimetypes
import re
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import puremagic
from PIL import Image, UnidentifiedImageError

HEAD = 64 * 1024
"""How many bytes of a file are looked at."""

MAX_FILENAME = 260  # characters
_MAX_PIXELS = 64_000_000  # of an image that is decoded
_MAX_SIDE = 4096  # pixels, of avatars and icons
_UNSAFE = re.compile(r'[/\\:*?"<>|]+')
_FORMATS = {
    "PNG": ("image/png", "png"),
    "JPEG": ("image/jpeg", "jpg"),
    "GIF": ("image/gif", "gif"),
    "WEBP": ("image/webp", "webp"),
}
_BINARY = "application/octet-stream"

Image.MAX_IMAGE_PIXELS = None  # sizes are looked at here, before anything is decoded
_threads = ThreadPoolExecutor(2, thread_name_prefix="media")


@dataclass(frozen=True, slots=True)
class Nature:
    """What a file is; pixels of an image."""

    content_type: str
    width: int | None = None
    height: int | None = None


class NoImage(Exception):
    """Not an image of a kind that is accepted."""


async def nature_of(head: bytes, filename: str) -> Nature:
    """What a file with this beginning and this name is."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_threads, _nature, head, filename)


async def check_image(data: bytes) -> bool:
    """Whether an image is animated. Raises NoImage, also for one that is too large."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _check, data)


def image_type(head: bytes) -> str:
    """The content type of a stored avatar or icon."""
    try:
        with Image.open(io.BytesIO(head)) as image:
            return _FORMATS[image.format or ""][0]
    except (UnidentifiedImageError, OSError, ValueError, KeyError):
        return _BINARY


@cache
def plain_picture(color: str) -> bytes:
    """A PNG of one color."""
    picture = io.BytesIO()
    Image.new("RGB", (128, 128), color).save(picture, "PNG")
    return picture.getvalue()


def safe_name(name: str) -> str:
    """A file's name for people: without a path, and without what could deceive or break out.

    Rule: OWASP, File Upload Cheat Sheet, "Filename Sanitization".
    """
    name = unicodedata.normalize("NFC", name.replace("\\", "/").rpartition("/")[2])
    name = "".join(each for each in name if unicodedata.category(each)[0] != "C")
    name = _UNSAFE.sub("_", name).strip(" .")
    if len(name) > MAX_FILENAME:
        stem, dot, ending = name.rpartition(".")
        ending = dot + ending if dot and len(ending) <= 16 else ""
        name = (stem or name)[: MAX_FILENAME - len(ending)] + ending
    return name or "unknown"


def _nature(head: bytes, filename: str) -> Nature:
    try:
        with Image.open(io.BytesIO(head)) as image:
            if image.format in _FORMATS:
                width, height = image.size
                return Nature(_FORMATS[image.format][0], width, height)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        pass
    guessed = mimetypes.guess_type(filename)[0]
    if _is_text(head):
        is_textual = guessed is not None and guessed.startswith(("text/", "application/json"))
        return Nature(f"{guessed if is_textual else 'text/plain'}; charset=utf-8")
    try:
        found = puremagic.from_string(head, mime=True, filename=filename)
    except (puremagic.PureError, ValueError):
        found = ""
    return Nature(found or _BINARY)


def _is_text(head: bytes) -> bool:
    if b"\0" in head:
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return len(head) == HEAD and error.start >= HEAD - 4  # a character that was cut in two
    return bool(head)


def _check(data: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.format not in _FORMATS or max(image.size) > _MAX_SIDE:
                raise NoImage
            animated = bool(getattr(image, "is_animated", False))
            image.load()  # the first picture is there and can be shown
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise NoImage from error
    return animated

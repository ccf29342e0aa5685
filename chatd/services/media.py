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
from PIL import Image

HEAD = 256 * 1024
"""How many bytes of a file are looked at."""

MAX_FILENAME = 260  # characters
_MAX_SIDE = 4096  # pixels, of avatars and icons
_JOINERS = "\u200c\u200d"  # emoji of several, and some scripts, are not the same without
_UNSAFE = re.compile(r'[/\\:*?"<>|]+')
_OPENED = ("PNG", "JPEG", "GIF", "WEBP")  # of the many formats that Pillow opens
_MARKS = re.compile(
    rb"(?P<png>\x89PNG\r\n\x1a\n)|(?P<jpeg>\xff\xd8\xff)|(?P<gif>GIF8[79]a)|(?P<webp>RIFF.{4}WEBP)",
    re.DOTALL,
)
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
    """The content type of a stored avatar or icon, by how it begins."""
    mark = _MARKS.match(head)
    return f"image/{mark.lastgroup}" if mark else _BINARY


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
    shown = (each for each in name if each in _JOINERS or unicodedata.category(each)[0] != "C")
    name = "".join(shown)
    name = _UNSAFE.sub("_", name).strip(" .")
    if len(name) > MAX_FILENAME:
        stem, dot, ending = name.rpartition(".")
        ending = dot + ending if dot and len(ending) <= 16 else ""
        name = (stem or name)[: MAX_FILENAME - len(ending)] + ending
    return name if name.strip(_JOINERS + "_") else "unknown"


def _nature(head: bytes, filename: str) -> Nature:
    if (content_type := image_type(head)) != _BINARY:
        return Nature(content_type, *(_size(head) or ()))
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
    size = _size(data)
    if size is None or not 0 < min(size) <= max(size) <= _MAX_SIDE:
        raise NoImage
    try:
        with Image.open(io.BytesIO(data), formats=_OPENED) as image:
            animated = bool(getattr(image, "is_animated", False))
            image.load()  # the first picture is there and can be shown
    except Exception as error:  # what Pillow raises on broken images is without end
        raise NoImage from error
    return animated and image_type(data) != "image/jpeg"  # a camera's may hold a second one


def _size(head: bytes) -> tuple[int, int] | None:
    """Width and height, as far as the beginning tells."""
    if image_type(head) == "image/webp":
        return _size_of_webp(head)  # Pillow makes room for all of it when it opens one
    try:
        with Image.open(io.BytesIO(head), formats=_OPENED) as image:
            return image.size
    except Exception:  # as above
        return None


def _size_of_webp(head: bytes) -> tuple[int, int] | None:
    """Rule: RFC 9649 section 2.7 (VP8X, VP8L) and RFC 6386 section 9.1 (VP8)."""
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

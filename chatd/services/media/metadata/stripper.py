"""The stripper of each image format, found by the first bytes of a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from chatd.services.media.metadata.gif import parse_gif
from chatd.services.media.metadata.heif import HEIF_BRANDS, HeifStripper
from chatd.services.media.metadata.jpeg import parse_jpeg
from chatd.services.media.metadata.parsing import StreamStripper
from chatd.services.media.metadata.png import PNG_SIGNATURE, parse_png
from chatd.services.media.metadata.webp import WebpStripper


class Stripper(Protocol):
    """Takes an image chunk by chunk, and returns it without metadata."""

    orientation: int
    """How to rotate and mirror the image, 1 to 8 as in Exif. Known at the end."""
    is_overfull: bool
    """Whether it has too many parts, and was copied unchanged from there. Known at the end."""

    def feed(self, data: bytes) -> bytes:
        """Take a chunk. Return the output that is ready."""

    def end(self) -> Iterator[bytes]:
        """Return the remaining output, after the last chunk."""


def stripper_for(head: bytes) -> Stripper | None:
    """Return a stripper for a file that begins with these bytes, or None for other formats."""
    if head.startswith(b"\xff\xd8\xff"):
        return StreamStripper(parse_jpeg)
    if head.startswith(PNG_SIGNATURE):
        return StreamStripper(parse_png)
    if head.startswith((b"GIF87a", b"GIF89a")):
        return StreamStripper(parse_gif)
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return WebpStripper()
    if head[4:8] == b"ftyp" and head[8:12] in HEIF_BRANDS:
        return HeifStripper()
    return None


def stripped(data: bytes) -> bytes:
    """Return an image without its metadata, or a file of another format unchanged."""
    stripper = stripper_for(data)
    return data if stripper is None else stripper.feed(data) + b"".join(stripper.end())

"""Images of every kind, with and without metadata."""

from __future__ import annotations

import base64
import io
import struct
from typing import Any

from PIL import Image, ImageCms, ImageOps, PngImagePlugin


def image_bytes(kind: str = "PNG", size: tuple[int, int] = (16, 16), *, frames: int = 1) -> bytes:
    """Return an image without metadata."""
    pictures = [Image.new("RGB", size, (n * 40, 0, 0)) for n in range(frames)]
    data = io.BytesIO()
    more: dict[str, Any] = {"save_all": True, "append_images": pictures[1:]} if frames > 1 else {}
    pictures[0].save(data, kind, **more)
    return data.getvalue()


def data_uri(data: bytes, kind: str = "png") -> str:
    """Return an image as Discord's clients send it, in a data URI."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


SECRET_METADATA = b"SECRET-PLACE"


def exif_block(orientation: int | None) -> bytes:
    """Return EXIF with a description, a place and an orientation."""
    block = Image.Exif()
    block[0x010E] = SECRET_METADATA.decode()
    block.get_ifd(0x8825)[1] = "N"
    block.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    if orientation is not None:
        block[0x0112] = orientation
    return block.tobytes()


def image_with_metadata(
    kind: str, orientation: int | None = 6, *, frames: int = 1, **more: Any
) -> bytes:
    """Return an image of two colors with all the metadata that its kind can have."""
    made = []
    for number in range(frames):
        image = Image.new("RGB", (24, 16), (200, 30 * number, 0))
        image.paste((0, 60, 250), (0, 0, 7, 5))
        made.append(image)
    options: dict[str, Any] = {"exif": exif_block(orientation)} if kind != "GIF" else {}
    if kind in ("JPEG", "WEBP"):
        options["xmp"] = b"<x:xmpmeta>" + SECRET_METADATA + b"</x:xmpmeta>"
    if kind in ("JPEG", "GIF"):
        options["comment"] = SECRET_METADATA
    if kind == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_text("Comment", SECRET_METADATA.decode())
        text.add_text("Place", SECRET_METADATA.decode(), zip=True)
        text.add_itxt("XML:com.adobe.xmp", SECRET_METADATA.decode())
        text.add(b"tIME", bytes(7))
        text.add(b"prIv", SECRET_METADATA)
        options["pnginfo"] = text
    if kind != "GIF":
        options["icc_profile"] = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    if frames > 1:
        options |= {"save_all": True, "append_images": made[1:]}
    data = io.BytesIO()
    made[0].save(data, kind, **options, **more)
    return data.getvalue()


def visible_frames(data: bytes) -> list[tuple[bytes, str, tuple[int, int]]]:
    """Return pixels, mode and size of each frame, turned by its orientation."""
    frames = []
    with Image.open(io.BytesIO(data)) as image:
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            shown = ImageOps.exif_transpose(image)
            frames.append((shown.tobytes(), shown.mode, shown.size))
    return frames


def many_segments(kind: str, size: int) -> bytes:
    """Return a file that consists of as many segments as fit, each as small as can be."""
    png = struct.pack(">I4s", 0, b"tEXt") + bytes(4)
    return {
        "JPEG segments": b"\xff\xd8" + b"\xff\xe1\0\x02" * (size // 4),
        "JPEG restarts": b"\xff\xd8\xff" + b"\xd0\xff" * (size // 2),
        "JPEG fill": b"\xff\xd8" + b"\xff" * size,
        "PNG": b"\x89PNG\r\n\x1a\n" + png * (size // 12),
        "GIF pixels": b"GIF89a" + bytes(7) + b"\x2c" + bytes(9) + b"\x08" + b"\1\0" * (size // 2),
        "GIF extensions": b"GIF89a" + bytes(7) + b"\x21\x01\0" * (size // 3),
        "GIF comments": b"GIF89a" + bytes(7) + b"\x21\xfe\1a\0" * (size // 5),
        "WEBP": b"RIFF" + struct.pack("<I", size) + b"WEBP" + (b"ANIM" + bytes(4)) * (size // 8),
        "WEBP odd": b"RIFF" + struct.pack("<I", size) + b"WEBP" + b"ANIM\1\0\0\0aa" * (size // 10),
    }[kind]


MANY_SEGMENTS = [
    "JPEG segments",
    "JPEG restarts",
    "JPEG fill",
    "PNG",
    "GIF pixels",
    "GIF extensions",
    "GIF comments",
    "WEBP",
    "WEBP odd",
]
"""The kinds that `many_segments` makes."""

"""File types: detection by content, and sizes of images without decoding them."""

from __future__ import annotations

import io
import struct
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from chatd.services.media import file_types
from tests.helpers.images import MANY_SEGMENTS, many_segments


@pytest.fixture(scope="module")
def threads() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def webp(**options: object) -> bytes:
    out = io.BytesIO()
    frames = [Image.new("RGB", (301, 77), colour) for colour in ("red", "blue")]
    more = {"save_all": True, "append_images": frames[1:]} if options.pop("moving", False) else {}
    frames[0].save(out, "WEBP", **options, **more)
    return out.getvalue()


@pytest.mark.parametrize(
    "options", [{}, {"lossless": True}, {"moving": True}, {"exif": b"Exif\0\0x"}], ids=str
)
async def test_detect_reads_the_size_of_every_webp_variant(
    threads: Executor, options: dict[str, object]
) -> None:
    data = webp(**options)
    assert await file_types.detect(threads, data, "x") == file_types.FileType("image/webp", 301, 77)
    assert await file_types.detect(threads, data[:30], "x") == file_types.FileType(
        "image/webp", 301, 77
    )
    assert await file_types.detect(threads, data[:20], "x") == file_types.FileType("image/webp")
    assert (await file_types.check_image(threads, data))[1] is ("moving" in options)


async def test_check_image_rejects_a_large_size_without_decoding(
    threads: Executor,
) -> None:
    side = (16_384 - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\x02" + bytes(3) + side + side
    with pytest.raises(file_types.InvalidImage):
        await file_types.check_image(threads, b"RIFF" + struct.pack("<I", len(body)) + body)


@given(st.binary(max_size=60))
async def test_arbitrary_bytes_raise_invalid_image_only(threads: Executor, data: bytes) -> None:
    for mark in (b"", b"RIFF\0\0\0\0WEBP", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8\xff"):
        file_type = await file_types.detect(threads, mark + data, "x")
        assert (file_type.width is None) == (file_type.height is None)
        with pytest.raises(file_types.InvalidImage):
            await file_types.check_image(threads, mark + data)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("family 👨\u200d👩\u200d👧.png", "family 👨\u200d👩\u200d👧.png"),
        ("cat\u202egpj.exe", "catgpj.exe"),
        ("C:\\x\\cat.png", "cat.png"),
        ("\u200d", "unknown"),
        ("\u3164.png", "png"),
        ("\u2800\u2800", "unknown"),
        ("\ufe0f\ufe0f.png", "png"),
        ("a\u034fb\u115f.png", "ab.png"),
        ("heart \u2764\ufe0f.png", "heart \u2764\ufe0f.png"),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645.txt",) * 2,
        ("///", "unknown"),
        ("x" * 300 + ".png", "x" * 256 + ".png"),
    ],
)
def test_safe_name_removes_deceptive_characters(name: str, kept: str) -> None:
    assert file_types.safe_name(name) == kept


@pytest.mark.parametrize("kind", MANY_SEGMENTS)
async def test_check_image_rejects_many_small_parts(kind: str) -> None:
    """Pillow took 1.3 s for such an image of 2 MB."""
    data = many_segments(kind, 2**20)
    if kind.startswith("PNG"):  # a valid image except for its parts
        picture = file_types.solid_color_png("#ffffff")
        data = picture[:33] + data[8:] + picture[33:]
    taken = []
    for _ in range(3):
        began = time.thread_time()
        with pytest.raises(file_types.InvalidImage):
            file_types._check(data)
        taken.append(time.thread_time() - began)
        if taken[-1] < 0.3:
            break
    assert min(taken) < 0.3

"""What files are, by their bytes: sizes of images are told without decoding them."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from chatd.services import media


def webp(**options: object) -> bytes:
    out = io.BytesIO()
    frames = [Image.new("RGB", (301, 77), colour) for colour in ("red", "blue")]
    more = {"save_all": True, "append_images": frames[1:]} if options.pop("moving", False) else {}
    frames[0].save(out, "WEBP", **options, **more)
    return out.getvalue()


@pytest.mark.parametrize(
    "options", [{}, {"lossless": True}, {"moving": True}, {"exif": b"Exif\0\0x"}], ids=str
)
async def test_every_kind_of_webp_tells_its_size(options: dict[str, object]) -> None:
    data = webp(**options)
    assert await media.nature_of(data, "x") == media.Nature("image/webp", 301, 77)
    assert await media.nature_of(data[:30], "x") == media.Nature("image/webp", 301, 77)
    assert await media.nature_of(data[:20], "x") == media.Nature("image/webp")
    assert await media.check_image(data) is ("moving" in options)


async def test_a_picture_that_only_claims_to_be_large_is_refused_unopened() -> None:
    side = (16_384 - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\x02" + bytes(3) + side + side
    with pytest.raises(media.NoImage):
        await media.check_image(b"RIFF" + struct.pack("<I", len(body)) + body)


@given(st.binary(max_size=60))
async def test_no_bytes_upset_it(data: bytes) -> None:
    for mark in (b"", b"RIFF\0\0\0\0WEBP", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8\xff"):
        nature = await media.nature_of(mark + data, "x")
        assert (nature.width is None) == (nature.height is None)
        with pytest.raises(media.NoImage):
            await media.check_image(mark + data)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("family 👨\u200d👩\u200d👧.png", "family 👨\u200d👩\u200d👧.png"),
        ("cat\u202egpj.exe", "catgpj.exe"),
        ("C:\\x\\cat.png", "cat.png"),
        ("\u200d", "unknown"),
        ("///", "unknown"),
        ("x" * 300 + ".png", "x" * 256 + ".png"),
    ],
)
def test_names_mislead_nobody(name: str, kept: str) -> None:
    assert media.safe_name(name) == kept

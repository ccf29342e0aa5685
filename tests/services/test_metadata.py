"""Images lose their metadata and keep their pixels, for all chunk sizes."""

from __future__ import annotations

import io
import struct
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from chatd.services.media.metadata.exif import orientation_of
from chatd.services.media.metadata.stripper import stripped, stripper_for
from tests.helpers.examples import examples
from tests.helpers.images import (
    MANY_SEGMENTS,
    SECRET_METADATA,
    exif_block,
    image_with_metadata,
    many_segments,
    visible_frames,
)

KINDS = ["JPEG", "PNG", "GIF", "WEBP"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("orientation", [None, 1, 3, 6, 8])
@pytest.mark.parametrize("frames", [1, 3])
def test_stripping_removes_metadata_and_keeps_pixels(
    kind: str, orientation: int | None, frames: int
) -> None:
    if kind == "JPEG" and frames > 1:
        return
    data = image_with_metadata(kind, orientation, frames=frames) + b"trailer " + SECRET_METADATA
    assert SECRET_METADATA in data
    clean = stripped(data)
    assert SECRET_METADATA not in clean
    assert len(clean) < len(data)
    assert visible_frames(clean) == visible_frames(data)
    assert stripped(clean) == clean
    with Image.open(io.BytesIO(clean)) as image:
        assert dict(image.getexif()) == (
            {0x0112: orientation} if orientation not in (None, 1) and kind != "GIF" else {}
        )
        assert ("icc_profile" in image.info) == (kind != "GIF")


@pytest.mark.parametrize("orientation", [1, 6])
def test_avif_metadata_is_overwritten(orientation: int) -> None:
    data = image_with_metadata("AVIF", orientation, xmp=b"<x:xmpmeta>" + SECRET_METADATA)
    assert data.count(SECRET_METADATA) >= 2
    clean = stripped(data)
    assert SECRET_METADATA not in clean
    assert len(clean) == len(data)
    assert visible_frames(clean) == visible_frames(data)
    assert stripped(clean) == clean


def heif(*, version: int, inside: bool, cut: int | None = None) -> bytes:
    """Build a HEIC file like that of a camera, with an Exif item and no image."""

    def box(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I4s", 8 + len(data), kind) + data

    wide = ">I" if version == 2 else ">H"
    item = struct.pack(wide, 7)
    entry = box(b"infe", struct.pack(">I", 3 << 24) + struct.pack(">IH4s", 7, 0, b"Exif") + b"\0")
    items = box(b"iinf", struct.pack(">IH", 0, 1) + entry)
    secret = bytes(4) + exif_block(6)

    def meta(offset: int) -> bytes:
        method = struct.pack(">H", int(inside)) if version else b""
        place = item + method + struct.pack(">HHII", 0, 1, offset, len(secret))
        head = struct.pack(">I", version << 24) + b"\x44\0" + struct.pack(wide, 1)
        data = box(b"idat", secret) if inside else b""
        return box(b"meta", bytes(4) + items + box(b"iloc", head + place) + data)

    start = box(b"ftyp", b"heic" + bytes(4) + b"mif1heic")
    offset = 0 if inside else len(start) + len(meta(0)) + 8
    return (start + meta(offset) + (b"" if inside else box(b"mdat", secret)))[:cut]


@pytest.mark.parametrize(("version", "inside"), [(0, False), (1, False), (1, True), (2, False)])
def test_heic_metadata_is_overwritten(version: int, inside: bool) -> None:
    data = heif(version=version, inside=inside)
    assert SECRET_METADATA in data
    clean = stripped(data)
    assert SECRET_METADATA not in clean
    assert b"MM\0*" in clean
    assert len(clean) == len(data)


def test_overlapping_heic_items_are_bounded_work() -> None:
    data = heif(version=1, inside=False)
    extent = struct.pack(">II", 0, 0)  # from the beginning to the end of the file
    for count in (2, 7_000):
        at = data.index(b"iloc") + 4
        place = struct.pack(">HHHH", 7, 0, 0, count) + extent * count
        iloc = struct.pack(">I", 1 << 24) + b"\x44\0" + struct.pack(">H", 1) + place
        box = struct.pack(">I4s", 8 + len(iloc), b"iloc") + iloc
        iinf = data[data.index(b"iinf") - 4 : at - 8]
        meta = struct.pack(">I4s", 12 + len(iinf) + len(box), b"meta") + bytes(4) + iinf + box
        whole = data[: data.index(b"meta") - 4] + meta + bytes(2**20)
        assert len(stripped(whole)) == len(whole)


@given(st.data())
def test_malformed_heic_raises_nothing(data: st.DataObject) -> None:
    whole = bytearray(heif(version=1, inside=True))
    for at in data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=8)):
        whole[at] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    assert len(stripped(cut)) == len(cut)


@pytest.mark.parametrize("options", [{"progressive": True}, {"restart_marker_blocks": 1}])
def test_jpeg_variants_keep_their_pixels(options: dict[str, Any]) -> None:
    data = image_with_metadata("JPEG", **options)
    clean = stripped(data)
    assert SECRET_METADATA not in clean
    assert visible_frames(clean) == visible_frames(data)


@pytest.mark.parametrize("options", [{"lossless": True}, {"lossless": False}])
def test_webp_variants_keep_their_pixels(options: dict[str, Any]) -> None:
    data = image_with_metadata("WEBP", None, **options)
    clean = stripped(data)
    assert b"EXIF" not in clean
    assert b"XMP " not in clean
    assert clean[20] & 0x0C == 0
    assert len(clean) == 8 + int.from_bytes(clean[4:8], "little")
    assert visible_frames(clean) == visible_frames(data)


def whole(data: bytes, sizes: list[int]) -> bytes:
    by = stripper_for(data)
    if by is None:
        return data
    out, at = b"", 0
    for size in sizes:
        out += by.feed(data[at : at + size])
        at += size
    return out + by.feed(data[at:]) + b"".join(by.end())


@given(kind=st.sampled_from(KINDS), sizes=st.lists(st.integers(1, 700), max_size=40))
@settings(deadline=None, max_examples=examples(100))
def test_output_does_not_depend_on_chunk_sizes(kind: str, sizes: list[int]) -> None:
    data = PICTURES[kind]
    assert whole(data, sizes) == stripped(data)


@given(
    kind=st.sampled_from(KINDS),
    at=st.integers(0, 5000),
    noise=st.binary(max_size=20),
    cut=st.integers(0, 6000),
    sizes=st.lists(st.integers(1, 700), max_size=10),
)
@settings(deadline=None, max_examples=examples(400))
def test_malformed_files_raise_nothing(
    kind: str, at: int, noise: bytes, cut: int, sizes: list[int]
) -> None:
    data = PICTURES[kind]
    data = (data[:at] + noise + data[at + len(noise) :])[:cut]
    clean = whole(data, sizes)
    assert len(clean) <= len(data) + 64
    assert stripped(clean) == clean


@given(st.binary(max_size=200))
def test_orientation_of_arbitrary_bytes_is_valid(tiff: bytes) -> None:
    assert 1 <= orientation_of(tiff) <= 8
    assert 1 <= orientation_of(b"II*\0\x08\0\0\0" + tiff) <= 8


PICTURES = {kind: image_with_metadata(kind) for kind in KINDS}


@pytest.mark.parametrize("kind", MANY_SEGMENTS)
def test_many_small_parts_are_stripped_in_bounded_time(kind: str) -> None:
    """Without a limit, 10 MB of such parts took 19 s, and each part was stored by itself."""
    size = 4 * 2**20
    data = many_segments(kind, size)
    taken = []
    for _ in range(3):
        began = time.thread_time()
        by = stripper_for(data)
        assert by is not None
        longest, parts = 0.0, []
        for at in range(0, len(data), 2**18):
            before = time.thread_time()
            parts.append(by.feed(data[at : at + 2**18]))
            longest = max(longest, time.thread_time() - before)
        parts += by.end()
        assert len(parts) < 50
        taken.append(time.thread_time() - began)
        if taken[-1] < 0.5:
            break
    assert min(taken) < 0.5
    assert len(b"".join(parts)) <= len(data)


def test_animation_of_many_frames_is_stripped() -> None:
    """Animations that people make stay far below the limit on parts."""
    image = Image.effect_noise((64, 64), 90)
    made = io.BytesIO()
    image.save(made, "GIF", save_all=True, append_images=[image.rotate(n) for n in range(1, 300)])
    data = made.getvalue()
    assert data[10] & 0x80  # a table of colors follows the descriptor, whose size is in three bits
    at = 13 + 3 * 2 ** ((data[10] & 7) + 1)
    commented = data[:at] + b"\x21\xfe\x0c" + SECRET_METADATA + b"\0" + data[at:-1]
    commented += b"\x21\xfe\x0c" + SECRET_METADATA + b"\0\x3b"
    assert SECRET_METADATA not in stripped(commented)
    assert visible_frames(stripped(commented)) == visible_frames(data)

"""MurmurHash3: the values that the authors and other implementations publish."""

from __future__ import annotations

import pytest

from chatd.core.murmur import murmur3


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"", 0),
        (b"test", 0xBA6BD213),
        (b"Hello, world!", 0xC0363E43),
        (b"The quick brown fox jumps over the lazy dog", 0x2E4FF723),
    ],
)
def test_hash_has_the_published_value(data: bytes, value: int) -> None:
    assert murmur3(data) == value

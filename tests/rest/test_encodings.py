"""Content codings: a client gets the best one that it accepts, and none that it refuses."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request

from chatd.rest.encodings import accepted_encoding
from tests.world import World


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", ""),
        ("br", ""),
        ("gzip, zstd", "zstd"),
        ("GZIP", "gzip"),
        ("zstd;q=0, gzip", "gzip"),
        ("gzip;q=0", ""),
        ("gzip ; q=0.000", ""),
        ("gzip;q=0.001", "gzip"),
        ("x-gzip", ""),
        ("*", "zstd"),
        ("*;q=0, gzip", "gzip"),
        ("zstd;q=0, *", "gzip"),
        (",;,;q=,gzip;q", "gzip"),
    ],
)
def test_encoding_is_accepted(header: str, expected: str) -> None:
    request = make_mocked_request("GET", "/", {"Accept-Encoding": header})
    assert accepted_encoding(request, "zstd", "gzip") == expected


@pytest.mark.parametrize("path", ["/docs", "/"])
async def test_refused_encoding_is_not_sent(world: World, path: str) -> None:
    heads = {"Accept": "text/html", "Accept-Encoding": "gzip;q=0"}
    answer = await world.anonymous.call("GET", path, headers=heads)
    assert (answer.status, answer.headers.get("Content-Encoding")) == (200, None)
    assert answer.raw.startswith(b"<!DOCTYPE html>")
